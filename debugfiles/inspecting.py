"""Native objects, looked into by the converter's limited child."""

from __future__ import annotations

import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

from django.conf import settings

from core.api import ApiError
from debugfiles.kinds import Identified, SymbolType
from engine.convert.client import Converter, ConverterUnavailable
from engine.convert.wire import Inspected, ObjectFacts
from engine.errors import DeadlineExceeded, FailureKind, LookupFailure
from engine.formats import fat
from engine.formats.bytewise import FormatError, mapped
from engine.formats.decompress import LONGEST_MAGIC, is_packed
from engine.modules import DebugId, parse_code_id
from engine.outgoing import Deadline

log = logging.getLogger(__name__)

_VARIABLE: Final = "SYMBOLSVC_CONVERTER"
_SECONDS: Final = 200.0
_ID_DIGITS: Final = 128
_PACKED: Final = "it is packed; send the file itself, or gzip with Content-Encoding"


class Readable(Protocol):
    """A file of this host; `size` in bytes."""

    @property
    def path(self) -> Path: ...

    @property
    def size(self) -> int: ...


def inspected(incoming: Readable) -> tuple[Identified, ...]:
    """The objects of a native file, Breakpad file, portable PDB or source bundle.

    Raises LookupFailure (malformed, too large), and ApiError (503) when nobody could look.
    """
    try:
        found = converter().inspect(incoming.path, Deadline.after(_SECONDS))
    except LookupFailure as failure:
        raise _explained(incoming, failure) from None
    except (ConverterUnavailable, DeadlineExceeded) as error:
        log.error("an upload could not be looked into: %s", error.message)
        raise ApiError("The file could not be looked into just now. Try again.", status=503, code=error.code) from None
    extents = _extents(incoming, found)
    objects = (_identified(facts, extents) for facts in found.objects)
    usable = tuple(item for item in objects if item is not None)
    if not usable:
        raise FormatError("it holds no object of a known kind")
    return usable


@lru_cache(maxsize=1)
def converter() -> Converter:
    """The converter of this host, or one that is started when it is first needed."""
    socket = os.environ.get(_VARIABLE)
    return Converter(Path(socket) if socket else None, name=str(Path(settings.CACHE_DIR).absolute()))


def _explained(incoming: Readable, failure: LookupFailure) -> LookupFailure:
    with open(incoming.path, "rb") as file:
        packed = is_packed(file.read(LONGEST_MAGIC))
    return LookupFailure(FailureKind.MALFORMED, _PACKED) if packed else failure


def _extents(incoming: Readable, found: Inspected) -> list[tuple[int, int]]:
    """Where each object lies. What is not fat, or not as its header says, is one piece."""
    entries: tuple[fat.FatEntry, ...] = ()
    if found.total > 1:
        with open(incoming.path, "rb") as file:
            entries = fat.entries(mapped(file))
    if len(entries) == found.total:
        return [(entry.offset, entry.size) for entry in entries]
    return [(0, incoming.size)] * found.total


def _identified(facts: ObjectFacts, extents: list[tuple[int, int]]) -> Identified | None:
    if facts.file_format not in set(SymbolType):
        return None
    offset, size = extents[facts.index]
    debug_id = DebugId.parse(facts.debug_id or "")
    return Identified(
        index=facts.index,
        offset=offset,
        size=size,
        symbol_type=SymbolType(facts.file_format),
        debug_id=None if debug_id is None or debug_id.uuid.int == 0 else debug_id,
        code_id=(parse_code_id(facts.code_id or "") or "")[:_ID_DIGITS],
        kind=facts.kind,
        cpu=facts.arch,
        features=facts.features,
    )


os.register_at_fork(after_in_child=converter.cache_clear)
