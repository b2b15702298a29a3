"""CodeView records: what identifies a module and its debug file.

RSDS (PDB 7.0) and NB10 (PDB 2.0) are Microsoft's; BpEL, a bare build id, is Breakpad's.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from engine.minidump.image import Image, Unreadable
from engine.modules import DebugId

_PDB70 = 0x53445352
_PDB20 = 0x3031424E
_ELF = 0x4270454C
MAX_BUILD_ID_BYTES = 64


@dataclass(frozen=True, slots=True)
class CodeView:
    """What a record says. `build_id` is set for ELF records only, and may be empty there; `debug_file` for others."""

    debug_id: DebugId | None
    debug_file: str | None = None
    build_id: bytes | None = None


def read_codeview(image: Image, at: int, size: int) -> CodeView | None:
    """None when the module has no record, or one of another kind. Unreadable when it does not fit."""
    if size < 4:
        return None
    record = image.piece(at, size)
    reader = _READERS.get(image.u32(at))
    return reader(image, record) if reader else None


def guid(image: Image, raw: bytes) -> uuid.UUID | None:
    """A GUID, whose first fields follow the dump's byte order; None for one of zeros."""
    if not any(raw):
        return None
    return uuid.UUID(bytes_le=raw) if image.is_little else uuid.UUID(bytes=raw)


def _pdb70(image: Image, record: memoryview) -> CodeView:
    if len(record) < 24:
        raise Unreadable("the RSDS record is too short")
    signature = guid(image, bytes(record[4:20]))
    age = int.from_bytes(record[20:24], "little" if image.is_little else "big")
    return CodeView(DebugId(signature, age) if signature else None, image.decoded(record[24:], "utf-8") or None)


def _pdb20(image: Image, record: memoryview) -> CodeView:
    """The signature is a time, which stands in the first digits of the id."""
    if len(record) < 16:
        raise Unreadable("the NB10 record is too short")
    order = "little" if image.is_little else "big"
    stamp, age = (int.from_bytes(record[at : at + 4], order) for at in (8, 12))  # type: ignore[arg-type]
    signature = DebugId(uuid.UUID(int=stamp << 96), age) if stamp else None
    return CodeView(signature, image.decoded(record[16:], "utf-8") or None)


def _elf(image: Image, record: memoryview) -> CodeView:
    """The debug id is made of the first 16 bytes, read as a GUID."""
    build_id = bytes(record[4 : 4 + MAX_BUILD_ID_BYTES])
    signature = guid(image, build_id[:16].ljust(16, b"\0"))
    return CodeView(DebugId(signature) if signature else None, build_id=build_id if any(build_id) else b"")


_READERS = {_PDB70: _pdb70, _PDB20: _pdb20, _ELF: _elf}
