"""Cabinet files with one file in them, as symbol servers for Windows store `name.pd_`.

The format is Microsoft's [MS-CAB]; blocks stored or compressed with MSZIP are read, LZX and Quantum are not.
"""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO, NamedTuple

from engine.errors import FailureKind, LookupFailure

MAGIC = b"MSCF"
HEADER = struct.Struct("<4sIIIIIBBHHHHH")
RESERVES = struct.Struct("<HBB")
FOLDER = struct.Struct("<IHH")
FILE = struct.Struct("<IIHHHH")
BLOCK = struct.Struct("<IHH")
HAS_RESERVES = 0x0004
# A cabinet of a set: names of the neighbours lie between the header and the folders.
HAS_NEIGHBOURS = 0x0003
STORED, MSZIP = 0, 1
MSZIP_MAGIC = b"CK"
MSZIP_WINDOW = 1 << 15


class _Header(NamedTuple):
    first_file: int
    folders: int
    files: int
    flags: int


def file_count(source: BinaryIO) -> int:
    """How many files the cabinet holds. Raises LookupFailure for a broken header."""
    return _header(source).files


def extract_only_file(source: BinaryIO, target: BinaryIO) -> None:
    """Write the one file of a cabinet to `target`. Raises LookupFailure (malformed)."""
    header = _header(source)
    block_reserve = 0
    if header.flags & HAS_NEIGHBOURS or header.folders != 1:
        raise _malformed("cabinets that span several files or folders are not supported")
    if header.flags & HAS_RESERVES:
        header_reserve, _, block_reserve = _unpack(RESERVES, source)
        source.seek(header_reserve, 1)
    first_block, blocks, method = _unpack(FOLDER, source)
    source.seek(header.first_file)
    size, start = _unpack(FILE, source)[:2]
    source.seek(first_block)
    _copy(source, target, blocks, method & 0xF, block_reserve, start, size)


def _header(source: BinaryIO) -> _Header:
    source.seek(0)
    _, _, _, _, first_file, _, _, _, folders, files, flags, _, _ = _unpack(HEADER, source)
    return _Header(first_file, folders, files, flags)


def _copy(source: BinaryIO, target: BinaryIO, blocks: int, method: int, reserve: int, start: int, size: int) -> None:
    window, at = b"", 0
    for _ in range(blocks):
        window = _block(source, method, reserve, window)
        wanted = window[max(0, start - at) : max(0, start + size - at)]
        target.write(wanted)
        at += len(window)
    if at < start + size:
        raise _malformed("the cabinet is cut off")


def _block(source: BinaryIO, method: int, reserve: int, window: bytes) -> bytes:
    """The content of the next block; with MSZIP it may refer back to the block before, `window`."""
    _, packed, unpacked = _unpack(BLOCK, source)
    source.seek(reserve, 1)
    data = source.read(packed)
    if len(data) != packed:
        raise _malformed("the cabinet is cut off")
    if method == MSZIP:
        data = _inflate(data, window)
    elif method != STORED:
        raise _malformed("cabinets compressed with LZX or Quantum are not supported")
    if len(data) != unpacked:
        raise _malformed("a block of the cabinet has the wrong size")
    return data


def _inflate(data: bytes, window: bytes) -> bytes:
    if data[:2] != MSZIP_MAGIC:
        raise _malformed("a block of the cabinet is broken")
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS, zdict=window).decompress(data[2:], MSZIP_WINDOW)
    except zlib.error:
        raise _malformed("a block of the cabinet is broken") from None


def _unpack(layout: struct.Struct, source: BinaryIO) -> tuple[int, ...]:
    data = source.read(layout.size)
    if len(data) != layout.size:
        raise _malformed("the cabinet is cut off")
    return layout.unpack(data)


def _malformed(problem: str) -> LookupFailure:
    return LookupFailure(FailureKind.MALFORMED, problem)
