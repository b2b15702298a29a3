"""The converter's jobs that are about unwind rules."""

from __future__ import annotations

from symbolic.debuginfo import Archive, Object
from symbolic.exceptions import SymbolicError

from engine.convert.wire import Converted, MakeCfi
from engine.formats.bytewise import FormatError, mapped
from engine.formats.cfi import build_index
from engine.formats.eh_frame import has_unwind_tables, unwind_text

ELF = "elf"
UNWIND = "unwind"


def make_cfi(request: MakeCfi) -> Converted:
    """Write rules and index. Raises SymbolicError and OSError."""
    text = _text(request.path, Archive.open(request.path)._get_object(request.index))
    with open(request.out, "r+b") as file:
        build_index(text, file)
    return Converted()


def features(path: str, obj: Object) -> tuple[str, ...]:
    """What an object offers, sorted. Unwind tables without an entry are none: other files may have some."""
    known = set(obj.features)
    if UNWIND in known and obj.file_format == ELF and not _has_tables(path):
        known.discard(UNWIND)
    return tuple(sorted(known))


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
            return has_unwind_tables(mapped(file))
    except FormatError:
        return True
