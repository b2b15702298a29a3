"""What a debug file says, turned into the names and lines that people wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.formats.bcsymbolmap import BcSymbolMap
from engine.formats.bytewise import FormatError, mapped
from engine.formats.il2cpp import LineMapping
from engine.lookup.model import MapKind, NameMap
from engine.native.memory import TwoGenerations
from engine.native.symcache import Location

_MAPS_BYTES = 256 * 1024 * 1024
# What a map takes in memory for each byte of its file, about.
_MEMORY_PER_BYTE = 2


class MapError(Exception):
    """A map that was found cannot be read (any more)."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """The maps that belong to one debug file."""

    hidden: BcSymbolMap | None = None
    generated: LineMapping | None = None

    def apply(self, location: Location) -> Location:
        """`location` as people know it."""
        if self.hidden is not None:
            location = _revealed(location, self.hidden)
        if self.generated is not None:
            location = _written(location, self.generated)
        return location


NO_RENAMING = Renaming()


class Renamings:
    """The maps that a process has in memory."""

    def __init__(self) -> None:
        self._open: TwoGenerations[str, BcSymbolMap | LineMapping] = TwoGenerations(_MAPS_BYTES)

    def get(self, maps: Sequence[NameMap]) -> Renaming:
        """Raises MapError."""
        if not maps:
            return NO_RENAMING
        opened = [self._get(found) for found in maps]
        hidden = next((each for each in opened if isinstance(each, BcSymbolMap)), None)
        generated = next((each for each in opened if isinstance(each, LineMapping)), None)
        return Renaming(hidden, generated)

    def _get(self, found: NameMap) -> BcSymbolMap | LineMapping:
        known = self._open.get(found.identity)
        if known is None:
            known = _read(found.kind, found.path)
            self._open.put(found.identity, known, _MEMORY_PER_BYTE * found.path.stat().st_size)
        return known


def _read(kind: MapKind, path: Path) -> BcSymbolMap | LineMapping:
    try:
        with open(path, "rb") as file:
            data = mapped(file)
        return BcSymbolMap(data) if kind is MapKind.BCSYMBOLMAP else LineMapping(data)
    except (FormatError, OSError) as error:
        raise MapError(str(error)) from error


def _revealed(location: Location, names: BcSymbolMap) -> Location:
    path = None if location.path is None else names.resolve_path(location.path)
    return replace(location, symbol=names.resolve(location.symbol), path=path)


def _written(location: Location, lines: LineMapping) -> Location:
    if location.path is None:
        return location
    try:
        origin = lines.find(location.path, location.line)
    except FormatError:
        return location
    return location if origin is None else replace(location, path=origin.file, line=origin.line)
