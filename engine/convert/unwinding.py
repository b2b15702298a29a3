"""The converter's jobs that are about unwind rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symbolic.debuginfo import Archive, Object
from symbolic.exceptions import SymbolicError

from engine.convert.wire import Converted, MakeCfi
from engine.formats.bytewise import FormatError, mapped
from engine.formats.cfi import build_index
from engine.formats.cfi.records import INIT_START
from engine.formats.eh_frame import EhFrameIndex, has_unwind_tables, signal_text, unwind_text
from engine.formats.exidx import Span, exidx_text, has_exidx

ELF = "elf"
# Of Windows' tables for ARM64 the library takes places of descriptions for the sizes of functions, and knows nothing
# of those that need no description: its records claim addresses of other functions. Windows asks all code for ARM64 to
# keep frame pointers, which lead further than wrong rules.
MISREAD = ("pe", "arm64")
UNWIND = "unwind"


def make_cfi(request: MakeCfi) -> Converted:
    """Write rules and index. Raises SymbolicError and OSError."""
    obj = Archive.open(request.path)._get_object(request.index)
    text = unwind_records(request.path, obj)
    with open(request.out, "r+b") as file:
        build_index(text, file)
    return Converted()


def unwind_records(path: str, obj: Object) -> bytes:
    """The rules of an object of a file as text. Raises SymbolicError and OSError."""
    if (obj.file_format, obj.arch) == MISREAD:
        return b""
    text = _text(path, obj)
    if obj.file_format != ELF:
        return text
    if _is_arm(obj):
        text += _read(path, lambda content: exidx_text(content, _spans(text)))
    # Of two records for one place the first counts, and the library knows nothing of signals.
    return _read(path, signal_text) + text


def features(path: str, obj: Object) -> tuple[str, ...]:
    """What an object offers, sorted. Unwind tables without an entry are none: other files may have some."""
    known = set(obj.features)
    if obj.file_format == ELF and (UNWIND in known or _is_arm(obj)):
        known -= {UNWIND}
        known |= {UNWIND} if _has_tables(path) else set()
    return tuple(sorted(known))


def unwind_checksum(path: str, archive: Archive, obj: Object) -> int | None:
    """The sum of an object's unwind tables if they can be read where they lie, None if they have to be converted."""
    if obj.file_format != ELF or archive.object_count != 1:
        return None
    try:
        with open(path, "rb") as file:
            return EhFrameIndex(mapped(file)).checksum
    except FormatError:
        return None


def _text(path: str, obj: Object) -> bytes:
    """The rules as text. One entry that the library does not understand costs it all: then we read entry by entry."""
    try:
        return bytes(obj.make_cficache().open_stream().read())
    except SymbolicError:
        if obj.file_format != ELF:
            raise
        try:
            with open(path, "rb") as file:
                return unwind_text(mapped(file))
        except FormatError:
            pass
        raise


def _has_tables(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            content = mapped(file)
            return has_unwind_tables(content) or has_exidx(content)
    except FormatError:
        return True


def _is_arm(obj: Object) -> bool:
    """Whether an object may have the tables that only ARM has: with 32 bits, in an ELF file."""
    return obj.file_format == ELF and obj.arch.startswith("arm") and not obj.arch.startswith("arm64")


def _read(path: str, reader: Callable[[memoryview], bytes]) -> bytes:
    """What one of our readers makes of a file that the library has read: nothing where it cannot."""
    try:
        with open(path, "rb") as file:
            return reader(mapped(file))
    except FormatError:
        return b""


def _spans(text: bytes) -> Iterator[Span]:
    """The ranges of records, by relative addresses."""
    for found in INIT_START.finditer(b"\n" + text):
        if found[1]:
            start = int(found[1], 16)
            yield Span(start, start + int(found[2], 16))
