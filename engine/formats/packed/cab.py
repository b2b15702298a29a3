"""Cabinet files, stored or packed with MSZIP (Microsoft's [MS-CAB] and [MS-MCI]).

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
    files: int
    folders: int
    folder_reserve: int
    block_reserve: int


@dataclass(frozen=True, slots=True)
class CabFile:
    """`start` is where the file begins in the unpacked content of its folder, in bytes. The name is as it is stored."""

    size: int
    start: int
    folder: int
    name: bytes


class Cabinet:
    """A cabinet: its files, and the content of its folders, in which the files lie one behind the other."""

    def __init__(self, data: memoryview) -> None:
        """FormatError when it is broken or one of a set."""
        self._data = data
        cursor = Cursor(data, "the cabinet")
        self._header = _read_header(cursor)
        self._folders = []
        for _ in range(self._header.folders):
            self._folders.append((cursor.u32(), cursor.u16(), cursor.u16()))
            cursor.take(self._header.folder_reserve)
        self.files = tuple(_read_files(data, self._header))
        if any(file.folder >= len(self._folders) for file in self.files):
            raise FormatError("the cabinet is one of a set")

    def folder(self, index: int) -> Iterator[bytes]:
        """The whole content of a folder, piece by piece. Raises FormatError when it is broken or packed with LZX."""
        at, count, method = self._folders[index]
        return _unpacked(_blocks(self._data, at, count, self._header.block_reserve), method & 0xF)


def cab_pieces(data: memoryview) -> Iterator[bytes]:
    """The content of the only file, piece by piece.

    Raises FormatError when the cabinet is broken, holds another number of files, is one of a set, or uses LZX.
    """
    cabinet = Cabinet(data)
    if len(cabinet.files) != 1:
        raise FormatError(f"the cabinet holds {len(cabinet.files)} files; exactly one is expected")
    file = cabinet.files[0]
    return _cut(cabinet.folder(file.folder), file.start, file.size)


def _read_header(cursor: Cursor) -> _Header:
    if cursor.take(4) != MAGIC:
        raise FormatError("not a cabinet")
    cursor.take(12)
    files_at = cursor.u32()
    cursor.take(6)
    folders, files, flags = cursor.u16(), cursor.u16(), cursor.u16()
    cursor.take(4)
    if flags & (_HAS_PREVIOUS | _HAS_NEXT):
        raise FormatError("the cabinet is one of a set")
    if not flags & _HAS_RESERVES:
        return _Header(files_at, files, folders, 0, 0)
    own, folder_reserve, block_reserve = cursor.u16(), cursor.u8(), cursor.u8()
    cursor.take(own)
    return _Header(files_at, files, folders, folder_reserve, block_reserve)


def _read_files(data: memoryview, header: _Header) -> Iterator[CabFile]:
    cursor = Cursor(data, "the cabinet's file list", header.files_at)
    for _ in range(header.files):
        size, start, folder = cursor.u32(), cursor.u32(), cursor.u16()
        cursor.take(6)
        yield CabFile(size, start, folder, cursor.terminated(_NAME_BYTES))


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
