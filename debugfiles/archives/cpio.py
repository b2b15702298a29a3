"""cpio archives: portable (odc), new (newc, with and without checksums) and binary of either byte order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from debugfiles.archives.entries import LONGEST_NAME, Entry, EntryKind, kind_of_mode, text_of
from debugfiles.archives.streams import ByteStream
from engine.formats.bytewise import FormatError

MAGICS: Final = (b"070707", b"070701", b"070702", b"\xc7\x71", b"\x71\xc7")
_END: Final = b"TRAILER!!!"
_ODC: Final = (6, 6, 6, 6, 6, 6, 6, 11, 6, 11)
_LONGEST_MAGIC: Final = 6


@dataclass(frozen=True, slots=True)
class _Header:
    """`name_padding` and `padding` follow the name and the content, to the next boundary."""

    mode: int
    size: int
    name_size: int
    name_padding: int
    padding: int


def is_cpio(head: bytes) -> bool:
    """Whether a file begins as a cpio archive does."""
    return head.startswith(MAGICS)


def cpio_entries(stream: ByteStream) -> Iterator[Entry]:
    """The entries of an archive that comes as a stream. Raises FormatError."""
    while True:
        header = _header(stream)
        if not 0 < header.name_size <= LONGEST_NAME:
            raise FormatError("a name in the cpio archive has a length that is not valid")
        name = stream.exactly(header.name_size).partition(b"\0")[0]
        stream.skip(header.name_padding)
        if name == _END:
            return
        content = stream.section(header.size)
        kind = kind_of_mode(header.mode)
        yield Entry(text_of(name), kind, header.size if kind is EntryKind.FILE else 0, content)
        content.skip()
        stream.skip(header.padding)


def _header(stream: ByteStream) -> _Header:
    magic = stream.exactly(2)
    if magic in (b"\xc7\x71", b"\x71\xc7"):
        return _binary(stream, "little" if magic == b"\xc7\x71" else "big")
    magic += stream.exactly(_LONGEST_MAGIC - 2)
    if magic == b"070707":
        return _odc(stream)
    if magic in (b"070701", b"070702"):
        return _newc(stream)
    raise FormatError("a header of the cpio archive is not valid")


def _odc(stream: ByteStream) -> _Header:
    fields = [_number(stream.exactly(width), lambda text: int(text, 8)) for width in _ODC]
    return _Header(fields[2], fields[9], fields[8], 0, 0)


def _newc(stream: ByteStream) -> _Header:
    fields = [_number(stream.exactly(8), lambda text: int(text, 16)) for _ in range(13)]
    mode, size, name_size = fields[1], fields[6], fields[11]
    return _Header(mode, size, name_size, -(110 + name_size) % 4, -size % 4)


def _binary(stream: ByteStream, order: str) -> _Header:
    words = stream.exactly(24)
    fields = [int.from_bytes(words[at : at + 2], "little" if order == "little" else "big") for at in range(0, 24, 2)]
    size, name_size = fields[10] << 16 | fields[11], fields[9]
    return _Header(fields[2], size, name_size, name_size % 2, size % 2)


def _number(digits: bytes, parse: Callable[[bytes], int]) -> int:
    if not digits.isalnum():
        raise FormatError("a header of the cpio archive is not valid")
    try:
        return parse(digits)
    except ValueError:
        raise FormatError("a header of the cpio archive is not valid") from None
