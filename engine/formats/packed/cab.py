"""Cabinet files with one file inside, stored or packed with MSZIP (Microsoft's [MS-CAB] and [MS-MCI]).

LZX and Quantum are not unpacked. The content comes block by block, so a cabinet of any size takes 64 KiB of memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from engine.formats.bytewise import Cursor, FormatError, part

MAGIC = b"MSCF"
_BLOCK_BYTES = 1 << 15
_HAS_PREVIOUS, _HAS_NEXT, _HAS_RESERVES = 1, 2, 4
_STORED, _MSZIP = 0, 1
_NAMES = {2: "Quantum", 3: "LZX"}
_NAME_BYTES = 1 << 10


@dataclass(frozen=True, slots=True)
class _Header:
    files_at: int
    folders: int
    folder_reserve: int
    block_reserve: int


@dataclass(frozen=True, slots=True)
class _File:
    """`start` is where the file begins in the unpacked content of its folder, in bytes."""

    size: int
    start: int
    folder: int


def cab_pieces(data: memoryview) -> Iterator[bytes]:
    """The content of the only file, piece by piece.

    Raises FormatError when the cabinet is broken, holds another number of files, is one of a set, or uses LZX.
    """
    cursor = Cursor(data, "the cabinet")
    header = _read_header(cursor)
    if header.folders == 0:
        raise FormatError("the cabinet has no folder")
    folders = []
    for _ in range(header.folders):
        folders.append((cursor.u32(), cursor.u16(), cursor.u16()))
        cursor.take(header.folder_reserve)
    file = _read_file(data, header)
    if file.folder >= len(folders):
        raise FormatError("the cabinet is one of a set")
    at, count, method = folders[file.folder]
    blocks = _unpacked(_blocks(data, at, count, header.block_reserve), method & 0xF)
    return _cut(blocks, file.start, file.size)


def _read_header(cursor: Cursor) -> _Header:
    if cursor.take(4) != MAGIC:
        raise FormatError("not a cabinet")
    cursor.take(12)
    files_at = cursor.u32()
    cursor.take(6)
    folders, files, flags = cursor.u16(), cursor.u16(), cursor.u16()
    cursor.take(4)
    if files != 1:
        raise FormatError(f"the cabinet holds {files} files; exactly one is expected")
    if flags & (_HAS_PREVIOUS | _HAS_NEXT):
        raise FormatError("the cabinet is one of a set")
    if not flags & _HAS_RESERVES:
        return _Header(files_at, folders, 0, 0)
    own, folder_reserve, block_reserve = cursor.u16(), cursor.u8(), cursor.u8()
    cursor.take(own)
    return _Header(files_at, folders, folder_reserve, block_reserve)


def _read_file(data: memoryview, header: _Header) -> _File:
    cursor = Cursor(data, "the cabinet's file list", header.files_at)
    file = _File(cursor.u32(), cursor.u32(), cursor.u16())
    cursor.take(6)
    cursor.terminated(_NAME_BYTES)
    return file


def _blocks(data: memoryview, at: int, count: int, reserve: int) -> Iterator[tuple[memoryview, int]]:
    """The packed blocks of a folder, checksums verified, each with the size in bytes of its content."""
    cursor = Cursor(data, "the cabinet's data", at)
    for _ in range(count):
        checksum = cursor.u32()
        summed = cursor.position
        size, unpacked = cursor.u16(), cursor.u16()
        cursor.take(reserve)
        packed = cursor.take(size)
        content = _checksum(packed, 0)
        # Makers of cabinets disagree whether the reserved bytes are summed up too.
        sums = {_checksum(part(data, summed, length, "the cabinet"), content) for length in (4, 4 + reserve)}
        if checksum and checksum not in sums:
            raise FormatError("a block of the cabinet does not match its checksum")
        if not 0 < unpacked <= _BLOCK_BYTES:
            raise FormatError("a block of the cabinet has a size that is not valid")
        yield packed, unpacked


def _unpacked(blocks: Iterator[tuple[memoryview, int]], method: int) -> Iterator[bytes]:
    if method not in (_STORED, _MSZIP):
        name = _NAMES.get(method, "an unknown method")
        raise FormatError(f"the cabinet is packed with {name}; only stored and MSZIP cabinets are supported")
    before = b""
    for packed, size in blocks:
        before = bytes(packed) if method == _STORED else _unzipped(packed, size, before)
        if len(before) != size:
            raise FormatError("a block of the cabinet has another size than it says")
        yield before


def _unzipped(packed: memoryview, size: int, before: bytes) -> bytes:
    """One MSZIP block: `CK` and a deflate stream that may refer to the content of the block before."""
    if bytes(packed[:2]) != b"CK":
        raise FormatError("a block of the cabinet is not MSZIP")
    decoder = zlib.decompressobj(-zlib.MAX_WBITS, zdict=before)
    try:
        return decoder.decompress(packed[2:], size + 1)
    except zlib.error:
        raise FormatError("a block of the cabinet is broken") from None


def _cut(pieces: Iterator[bytes], start: int, size: int) -> Iterator[bytes]:
    """`size` bytes from `start` on out of the joined pieces; all of them must be there."""
    for piece in pieces:
        if size == 0:
            return
        wanted = piece[start : start + size]
        start = max(start - len(piece), 0)
        size -= len(wanted)
        if wanted:
            yield wanted
    if size:
        raise FormatError("the cabinet ends before its file does")


def _checksum(data: memoryview, seed: int) -> int:
    """The exclusive or of all 32 bit words; the 1 to 3 bytes left over count in reverse order.

    The words are folded in halves as one large number, which is a thousand times faster than one by one.
    """
    whole = len(data) // 4
    folded, words = int.from_bytes(data[: 4 * whole], "little"), whole
    while words > 1:
        low = (words + 1) // 2
        folded = (folded >> (32 * low)) ^ (folded & ((1 << (32 * low)) - 1))
        words = low
    return seed ^ folded ^ int.from_bytes(data[4 * whole :], "big")
