"""CodeView records: what identifies a module and its debug file.

RSDS (PDB 7.0) and NB10 (PDB 2.0) are Microsoft's; BpEL, a bare build id, is Breakpad's.
"""

from __future__ import annotations

import uuid
from typing import NamedTuple

from engine.minidump.image import Image, Layout, Unreadable
from engine.modules import DebugId

_PDB70 = 0x53445352
_PDB20 = 0x3031424E
_ELF = 0x4270454C
MAX_BUILD_ID_BYTES = 64
_PDB70_FORM = Layout("4xIHH8sI")
_PDB20_FORM = Layout("8xII")
_ZEROS = bytes(16)


class CodeView(NamedTuple):
    """What a record says. `build_id` is set for ELF records only, and may be empty there; `debug_file` for others."""

    debug_id: DebugId | None
    debug_file: str | None = None
    build_id: bytes | None = None


def read_codeview(image: Image, at: int, size: int) -> CodeView | None:
    """None when the module has no record, or one of another kind. Unreadable when it does not fit."""
    if size < 4:
        return None
    reader = _READERS.get(image.u32(at))
    if reader is None:
        return None
    if at + size > image.size:
        raise Unreadable("the CodeView record reaches beyond the end")
    return reader(image, at, size)


def guid(image: Image, raw: bytes) -> uuid.UUID | None:
    """A GUID, whose first fields follow the dump's byte order; None for one of zeros."""
    if raw == _ZEROS:
        return None
    return uuid.UUID(bytes_le=raw) if image.is_little else uuid.UUID(bytes=raw)


def _pdb70(image: Image, at: int, size: int) -> CodeView:
    if size < _PDB70_FORM.size:
        raise Unreadable("the RSDS record is too short")
    first, second, third, rest, age = image.unpack(_PDB70_FORM, at)
    number = first << 96 | second << 80 | third << 64 | int.from_bytes(rest, "big")
    name = image.plain(at + _PDB70_FORM.size, size - _PDB70_FORM.size)
    return CodeView(DebugId(uuid.UUID(int=number), age) if number else None, name or None)


def _pdb20(image: Image, at: int, size: int) -> CodeView:
    """The signature is a time, which stands in the first digits of the id."""
    if size < _PDB20_FORM.size:
        raise Unreadable("the NB10 record is too short")
    stamp, age = image.unpack(_PDB20_FORM, at)
    name = image.plain(at + _PDB20_FORM.size, size - _PDB20_FORM.size)
    return CodeView(DebugId(uuid.UUID(int=stamp << 96), age) if stamp else None, name or None)


def _elf(image: Image, at: int, size: int) -> CodeView:
    """The debug id is made of the first 16 bytes, read as a GUID."""
    build_id = bytes(image.piece(at + 4, min(size - 4, MAX_BUILD_ID_BYTES)))
    identity = guid(image, build_id[:16].ljust(16, b"\0"))
    return CodeView(DebugId(identity) if identity else None, build_id=build_id if any(build_id) else b"")


_READERS = {_PDB70: _pdb70, _PDB20: _pdb20, _ELF: _elf}
