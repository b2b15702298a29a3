"""Frames of .NET: a method and an offset into its IL code to a line, by a portable PDB."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.formats.bytewise import FormatError, mapped
from engine.formats.portable_pdb import PortablePdb, SourcePoint
from engine.lookup.model import Candidate
from engine.native.memory import TwoGenerations
from engine.native.open_files import OpenFiles

_OPEN_FILES = 128
_LINES_BYTES = 16 * 1024 * 1024
_ENTRY_BYTES = 500

# The row of a method (1-based) and an offset into its code in bytes.
Spot = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ManagedLine:
    """What a spot adds to its frame; `around` are the JSON fields about its source, with a comma in front.

    `candidate` tells of the link that was followed for it.
    """

    point: SourcePoint | None
    around: str = ""
    candidate: Candidate | None = None


NO_LINE = ManagedLine(None)


class ManagedLines:
    """Lines by table (what decides them) and spot, as many as fit a limit."""

    def __init__(self) -> None:
        self._known: TwoGenerations[tuple[str, int, int], ManagedLine] = TwoGenerations(_LINES_BYTES)

    def get(self, table: str, spot: Spot) -> ManagedLine | None:
        return self._known.get((table, *spot))

    def put(self, table: str, spot: Spot, line: ManagedLine) -> None:
        document = 0 if line.point is None else len(line.point.document)
        self._known.put((table, *spot), line, _ENTRY_BYTES + document + len(line.around))


class ManagedTable:
    """The lines of one file within one request; notes down what it lacks."""

    __slots__ = ("_key", "_lines", "_taken", "lacking")

    def __init__(self, key: str, lines: ManagedLines) -> None:
        self._key = key
        self._lines = lines
        self._taken: dict[Spot, ManagedLine] = {}
        self.lacking: set[Spot] = set()

    def find(self, function_id: str | int | None, offset: int) -> ManagedLine | None:
        """The line of a method (None if the frame names none) at an offset; NO_LINE if there is none.

        None notes it down as lacking.
        """
        if function_id is None:
            return NO_LINE
        spot = (int(function_id, 16) if isinstance(function_id, str) else function_id, offset)
        found = self._taken.get(spot) or self._lines.get(self._key, spot)
        if found is None:
            self.lacking.add(spot)
        else:
            self._taken[spot] = found
        return found

    def put(self, spot: Spot, line: ManagedLine) -> None:
        self._taken[spot] = line
        self._lines.put(self._key, spot, line)


class OpenPortablePdbs:
    """The portable PDBs that a process keeps open, the least lately used one closed first."""

    def __init__(self) -> None:
        self._open: OpenFiles[PortablePdb] = OpenFiles(_OPEN_FILES)

    def get(self, identity: str, path: Path) -> PortablePdb:
        """Raises OSError and FormatError."""
        return self._open.get(identity, path, lambda: _opened(path))


def _opened(path: Path) -> PortablePdb:
    with open(path, "rb") as file:
        return PortablePdb(mapped(file))


def look_up(file: PortablePdb, spots: Iterable[Spot]) -> dict[Spot, SourcePoint | None]:
    """The source points of spots; None where there is none, or the method cannot be read."""
    return {spot: _point(file, spot) for spot in spots}


def _point(file: PortablePdb, spot: Spot) -> SourcePoint | None:
    try:
        return file.lookup(*spot)
    except FormatError:
        return None
