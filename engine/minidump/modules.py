"""The module list and the list of unloaded modules."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from engine.minidump.codeview import CodeView, read_codeview
from engine.minidump.image import Complain, Image, Layout, Unreadable
from engine.minidump.lists import counted, headed
from engine.minidump.model import DumpModule, Os, UnloadedModule
from engine.modules import ModuleType

LIST = 4
UNLOADED_LIST = 14
MAX_MODULES = 1 << 16
_MODULE = Layout("QIIIII4xII36xII24x")
_UNLOADED = Layout("QIIII")
_UNLOADED_HEADER = Layout("III")
_VERSION_SIGNATURE = 0xFEEF04BD
_HIGHEST = 1 << 64


class _Entry(NamedTuple):
    """The fields of MINIDUMP_MODULE that are used."""

    base: int
    size: int
    checksum: int
    timestamp: int
    name_at: int
    version_signature: int
    version_high: int
    version_low: int
    codeview_size: int
    codeview_at: int
    number: int


def read_modules(image: Image, at: int, size: int, os: Os, complain: Complain) -> tuple[DumpModule, ...]:
    """The modules by address. Of modules that overlap the one that begins first is kept.

    A name or record that cannot be read costs only itself; `complain` is told about it.
    """
    first, count = counted(image, at, size, _MODULE, at_most=MAX_MODULES)
    entries = (_Entry._make((*row, number)) for number, row in enumerate(image.rows(_MODULE, first, count)))
    type = os.module_type
    return tuple(_module(image, os, type, complain, entry) for entry in _apart(sorted(entries)))


def _apart(ordered: Iterable[_Entry]) -> list[_Entry]:
    """The entries by address without those that reach into one before, or beyond the address space."""
    kept: list[_Entry] = []
    end = -1
    for entry in ordered:
        if entry.base >= end and entry.base + entry.size <= _HIGHEST:
            kept.append(entry)
            end = entry.base + (entry.size or 1)
    return kept


def _module(image: Image, os: Os, type: ModuleType, complain: Complain, entry: _Entry) -> DumpModule:
    name, record = "", None
    try:
        name = image.utf16(entry.name_at)
        record = read_codeview(image, entry.codeview_at, entry.codeview_size)
    except Unreadable as problem:
        complain(f"the module at {entry.base:#x}: {problem}")
    return DumpModule(
        base=entry.base,
        size=entry.size,
        name=name,
        code_id=_code_id(os, entry, record),
        debug_id=record.debug_id if record else None,
        debug_file=_debug_file(name, record),
        type=type,
        version=_version(entry) if entry.version_signature == _VERSION_SIGNATURE else None,
        timestamp=entry.timestamp,
        checksum=entry.checksum,
        number=entry.number,
    )


def _debug_file(name: str, record: CodeView | None) -> str | None:
    if record is None:
        return None
    return name or None if record.build_id is not None else record.debug_file


def _code_id(os: Os, entry: _Entry, record: CodeView | None) -> str | None:
    """What identifies the module itself: build id, UUID, or time and size, by what the dump has."""
    if record is None:
        return _stamped(entry.timestamp, entry.size) if os is Os.WINDOWS else None
    if record.build_id is not None:
        return record.build_id.hex() or None
    if os is Os.MACOS or os is Os.IOS:
        return record.debug_id.uuid.hex if record.debug_id else None
    return _stamped(entry.timestamp, entry.size)


def _stamped(timestamp: int, size: int) -> str | None:
    return f"{timestamp:08x}{size:x}" if timestamp or size else None


def _version(entry: _Entry) -> str | None:
    """The file version out of a VS_FIXEDFILEINFO."""
    high, low = entry.version_high, entry.version_low
    return f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}" if high or low else None


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
