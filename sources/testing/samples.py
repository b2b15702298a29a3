"""Fetching the beginning of a file, to see whether it is one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO, Final, cast

from engine.errors import DeadlineExceeded, FailureKind, LookupFailure
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import Location, Source
from sources.testing.steps import TOO_SLOW

SAMPLE_BYTES: Final = 64 * 1024
_KINDS: Final = {
    b"\x7fELF": "an ELF file",
    b"MZ": "a PE file",
    b"Microsoft C/C++ MSF 7.00": "a PDB file",
    b"BSJB": "a portable PDB file",
    b"MODULE ": "a Breakpad symbol file",
    b"\xcf\xfa\xed\xfe": "a Mach-O file",
    b"\xce\xfa\xed\xfe": "a Mach-O file",
    b"\xca\xfe\xba\xbe": "a fat Mach-O file",
    b"\x00asm": "a WebAssembly file",
    b"SYSB": "a source bundle",
    b"PK\x03\x04": "a zip archive",
    b"MSCF": "a cabinet",
    b"\x1f\x8b": "a gzip file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"\x78": "a zlib file",
}


class _Enough(LookupFailure):
    """The beginning is there."""

    def __init__(self) -> None:
        super().__init__(FailureKind.TOO_LARGE, "enough was read")


# What a full sample raises.
ENOUGH: Final = (_Enough,)


@dataclass
class Sample:
    """A file to write to that keeps the beginning and then says that it is enough."""

    content: bytearray = field(default_factory=bytearray)
    position: int = 0

    def write(self, data: bytes) -> int:
        # A downloader may reserve the space of a large file by writing its last byte first.
        if self.position <= len(self.content):
            self.content[self.position :] = data
        self.position += len(data)
        if len(self.content) >= SAMPLE_BYTES:
            raise _Enough
        return len(data)

    def seek(self, offset: int) -> int:
        self.position = offset
        return offset

    def tell(self) -> int:
        return self.position

    def truncate(self) -> int:
        del self.content[self.position :]
        return self.position


def sample(source: Source, location: Location, wanted: Wanted, deadline: Deadline) -> bytes:
    """The beginning of a file, or all of a small one. Raises LookupFailure."""
    target = Sample()
    try:
        with suppress(_Enough):
            source.fetch(location, wanted, cast(BinaryIO, target), deadline)
    except DeadlineExceeded:
        raise TOO_SLOW from None
    return bytes(target.content)


def kind_of(content: bytes) -> str:
    """What the beginning says that a file is. Raises LookupFailure (malformed) for what cannot hold symbols."""
    found = next((kind for magic, kind in _KINDS.items() if content.startswith(magic)), None)
    if found is not None:
        return found
    if content[:512].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise LookupFailure(FailureKind.MALFORMED, "a page came instead of a file")
    raise LookupFailure(FailureKind.MALFORMED, "what came is no debug file of a known kind")
