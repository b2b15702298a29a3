"""The module list and the list of unloaded modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from operator import itemgetter
from typing import TypeAlias, cast

from engine.minidump.codeview import CodeView, read_codeview
from engine.minidump.image import Complain, Image, Layout, Unreadable
from engine.minidump.lists import counted, headed
from engine.minidump.model import DumpModule, Os, UnloadedModule
from engine.modules import DebugId, ModuleType

LIST = 4
UNLOADED_LIST = 14
MAX_MODULES = 1 << 16
_MODULE = Layout("QIIIII4xII36xII24x")
_UNLOADED = Layout("QIIII")
_UNLOADED_HEADER = Layout("III")
_VERSION_SIGNATURE = 0xFEEF04BD
_HIGHEST = 1 << 64


# Base, size, checksum, time, place of the name; signature and halves of the version; size and place of the record.
_Row: TypeAlias = tuple[int, int, int, int, int, int, int, int, int, int]


def read_modules(image: Image, at: int, size: int, os: Os, complain: Complain) -> tuple[DumpModule, ...]:
    """The modules by address. Of modules that overlap the one that begins first is kept.

    A name or record that cannot be read costs only itself; `complain` is told about it.
    """
    first, count = counted(image, at, size, _MODULE, at_most=MAX_MODULES)
    rows = enumerate(cast("Iterator[_Row]", image.rows(_MODULE, first, count)))
    type = os.module_type
    ordered = _apart(sorted(rows, key=itemgetter(1)))
    return tuple(_module(image, os, type, complain, number, row) for number, row in ordered)


def _apart(ordered: Iterable[tuple[int, _Row]]) -> Iterator[tuple[int, _Row]]:
    """The entries by address without those that reach into one before, or beyond the address space."""
    end = -1
    for numbered in ordered:
        base, size = numbered[1][:2]
        if base >= end and base + size <= _HIGHEST:
            yield numbered
            end = base + (size or 1)


def _module(image: Image, os: Os, type: ModuleType, complain: Complain, number: int, row: _Row) -> DumpModule:
    base, size, checksum, timestamp, name_at, signature, high, low, record_size, record_at = row
    name, record = "", None
    try:
        name = image.utf16(name_at)
        record = read_codeview(image, record_at, record_size)
    except Unreadable as problem:
        complain(f"the module at {base:#x}: {problem}")
    version = _version(high, low) if signature == _VERSION_SIGNATURE else None
    code_id, debug_id, debug_file = _ids(os, name, record, timestamp, size)
    return DumpModule(base, size, name, code_id, debug_id, debug_file, type, version, timestamp, checksum, number)


def _ids(
    os: Os, name: str, record: CodeView | None, timestamp: int, size: int
) -> tuple[str | None, DebugId | None, str | None]:
    """Code id, debug id and debug file. The first is a build id, a UUID, or time and size, by what the dump has."""
    if record is None:
        return _stamped(timestamp, size) if os is Os.WINDOWS else None, None, None
    debug_id, debug_file, build_id = record
    if build_id is not None:
        return build_id.hex() or None, debug_id, name or None
    if os is Os.MACOS or os is Os.IOS:
        return debug_id.uuid.hex if debug_id else None, debug_id, debug_file
    return _stamped(timestamp, size), debug_id, debug_file


def _version(high: int, low: int) -> str | None:
    """The file version out of a VS_FIXEDFILEINFO."""
    return f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}" if high or low else None


def _stamped(timestamp: int, size: int) -> str | None:
    return f"{timestamp:08x}{size:x}" if timestamp or size else None


def read_unloaded(image: Image, at: int, size: int) -> tuple[UnloadedModule, ...]:
    """The modules that had been unloaded, in the order of the dump; they may overlap."""
    first, count, step = headed(image, at, size, _UNLOADED_HEADER, _UNLOADED.size, at_most=MAX_MODULES)
    return tuple(_unloaded(image, first + number * step) for number in range(count))


def _unloaded(image: Image, at: int) -> UnloadedModule:
    base, size, _, timestamp, name_at = image.unpack(_UNLOADED, at)
    name = ""
    with suppress(Unreadable):
        name = image.utf16(name_at)
    return UnloadedModule(base, size, name, _stamped(timestamp, size))
