"""Derived files with a checksum at their end, which native code never opens unverified.

A flipped bit in a symcache can end the whole process while it is read (an allocation without bounds, no exception).
The seal is magic (8 bytes), length of the content (u64), digest (16 bytes), CRC-32 of the
content (u32), all little-endian. Readers that take offsets from the start of the file do not notice it.
"""

from __future__ import annotations

import hashlib
import os
import struct
import threading
import zlib
from pathlib import Path
from typing import BinaryIO

from engine.errors import SymbolsvcError

MAGIC = b"SEALED\x00\x01"
SEAL = struct.Struct("<8sQ16sI")
CHUNK_BYTES = 1 << 20
REMEMBERED = 16_384


class CorruptFile(SymbolsvcError):
    """The file is not what was once written."""

    code = "corrupt_file"


# Device, inode, time of modification (ns) and size of a file whose seal was right.
_Identity = tuple[int, int, int, int]
_verified: dict[_Identity, str] = {}
_lock = threading.Lock()


def seal(file: BinaryIO) -> str:
    """Append the seal to a file open for reading and writing; gives the hex digest of its content."""
    length, digest, checksum = _measure(file)
    file.seek(length)
    file.write(SEAL.pack(MAGIC, length, digest.digest(), checksum))
    file.flush()
    return digest.hexdigest()


def verify(path: Path) -> str:
    """Check the whole file against its seal, once per process and state of the file; gives the digest of its content.

    Raises CorruptFile, or FileNotFoundError.
    """
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        identity = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
        known = _verified.get(identity)
        if known is not None:
            return known
        found = check(file, status.st_size)
    with _lock:
        if len(_verified) >= REMEMBERED:
            _verified.clear()
        _verified[identity] = found
    return found


def check(file: BinaryIO, size: int) -> str:
    """Check a file of `size` bytes against its seal; gives the digest of its content. Raises CorruptFile."""
    if size < SEAL.size:
        raise CorruptFile("the file is too short")
    file.seek(size - SEAL.size)
    magic, length, digest, checksum = SEAL.unpack(file.read(SEAL.size))
    if magic != MAGIC or length != size - SEAL.size:
        raise CorruptFile("the file has no seal")
    if _crc(file, length) != checksum:
        raise CorruptFile("the checksum is wrong")
    return str(digest.hex())


def _crc(file: BinaryIO, length: int) -> int:
    file.seek(0)
    checksum = 0
    while length > 0 and (chunk := file.read(min(CHUNK_BYTES, length))):
        checksum = zlib.crc32(chunk, checksum)
        length -= len(chunk)
    return checksum


def _measure(file: BinaryIO) -> tuple[int, hashlib.blake2b, int]:
    file.seek(0)
    digest = hashlib.blake2b(digest_size=16)
    length = checksum = 0
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
        checksum = zlib.crc32(chunk, checksum)
        length += len(chunk)
    return length, digest, checksum
