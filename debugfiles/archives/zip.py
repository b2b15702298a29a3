"""ZIP archives: stored, deflated, and packed with what the standard library unpacks besides."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Final

from core.text import storable
from debugfiles.archives.entries import Entry, EntryKind, Metered, kind_of_mode
from debugfiles.archives.packing import BZIP2, MEMORY_BYTES, XZ, ZSTD, Decoder, Packing
from debugfiles.archives.streams import relieved, sliced
from engine.formats.bytewise import FormatError
from engine.formats.packed.zip import Member, ZipReader

MOST_ENTRIES: Final = 1_000_000
_ENCRYPTED: Final = 0x1
_DIRECT: Final = (0, 8)
_LZMA: Final = 14
# What the library takes of the two kinds of literal bits together.
_LITERAL_BITS: Final = 4
_PACKINGS: Final = MappingProxyType({12: BZIP2, 93: ZSTD, 95: XZ})
_NAMES: Final = MappingProxyType({1: "Shrink", 6: "Implode", 9: "Deflate64", 98: "PPMd", 99: "AES"})


def read_zip(data: memoryview, metered: Metered) -> Iterator[Entry]:
    """The entries. Raises FormatError for an archive whose directory is broken or lists more than 1,000,000 files."""
    reader = ZipReader(data, MOST_ENTRIES)
    for member in reader:
        yield _entry(reader, member, metered)


def _entry(reader: ZipReader, member: Member, metered: Metered) -> Entry:
    kind = EntryKind.DIRECTORY if member.name.endswith("/") else kind_of_mode(member.unix_mode)
    if kind is not EntryKind.FILE:
        return Entry(storable(member.name), kind)
    problem = _problem(member)
    content = () if problem else metered(_content(reader, member))
    return Entry(storable(member.name), kind, member.size, content, problem)


def _problem(member: Member) -> str:
    if member.flags & _ENCRYPTED:
        return "encrypted"
    if member.method in _DIRECT or member.method in _PACKINGS or member.method == _LZMA:
        return ""
    how = _NAMES.get(member.method, f"method {member.method}")
    return f"packed with {how}, which is not readable here; pack it with Deflate"


def _content(reader: ZipReader, member: Member) -> Iterator[bytes]:
    if member.method in _DIRECT:
        yield from relieved(reader.pieces(member), reader.packed(member))
        return
    packed = reader.packed(member)
    packing = _PACKINGS.get(member.method) or _lzma_of(packed, member.size)
    start = 0 if member.method in _PACKINGS else _lzma_header(packed)
    yield from _checked(_cut(packing.unpacked(sliced(packed[start:])), member.size), member)


def _lzma_header(packed: memoryview) -> int:
    """A version, the length of the properties, the properties."""
    return 4 + int.from_bytes(packed[2:4], "little")


def _lzma_of(packed: memoryview, size: int) -> Packing:
    properties = bytes(packed[4:9])
    if len(properties) != 5:
        raise FormatError("a member of the ZIP archive is broken")

    def make() -> Decoder:
        return lzma_decoder(properties, size)

    return Packing("lzma", (), make, many=False)


def lzma_decoder(properties: bytes, size: int) -> Decoder:
    """A decoder of the bare stream that `properties` (5 bytes) describe, whose content has `size` bytes.

    Raises FormatError when they are not valid or ask for too large a dictionary.
    """
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[lzma_filter(properties, size)])


def lzma_filter(properties: bytes, size: int) -> dict[str, int]:
    """The filter of the standard library for the properties of an LZMA stream; raises as `lzma_decoder`."""
    packed = properties[0]
    if len(properties) != 5 or packed >= 9 * 5 * 5:
        raise FormatError("the properties of packed data are not valid")
    literal_bits = packed % 9 + packed // 9 % 5
    if literal_bits > _LITERAL_BITS:
        raise FormatError("the properties of packed data are not valid")
    # A dictionary larger than the content would be memory for nothing.
    dictionary = max(min(int.from_bytes(properties[1:5], "little"), size), 1 << 12)
    if dictionary > MEMORY_BYTES:
        raise FormatError("unpacking it needs more memory than is allowed")
    return {
        "id": lzma.FILTER_LZMA1,
        "lc": packed % 9,
        "lp": packed // 9 % 5,
        "pb": packed // 45,
        "dict_size": dictionary,
    }


def _cut(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """At most `size` bytes: a bare stream may not know its own end."""
    for piece in pieces:
        yield piece[:size]
        size -= min(len(piece), size)
        if not size:
            return


def _checked(pieces: Iterable[bytes], member: Member) -> Iterator[bytes]:
    size, crc = 0, 0
    for piece in pieces:
        size, crc = size + len(piece), zlib.crc32(piece, crc)
        yield piece
    if size != member.size or crc != member.crc:
        raise FormatError("it does not match its checksum")
