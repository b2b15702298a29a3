"""Files that symbol servers store compressed: one layer, recognised by its first bytes."""

from __future__ import annotations

import gzip
import sys
import zipfile
import zlib
from typing import BinaryIO, Protocol

from engine.errors import FailureKind, LookupFailure
from engine.lookup import cab

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError, ZstdFile
else:
    from backports.zstd import ZstdError, ZstdFile

CHUNK_BYTES = 1 << 20
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
ZIP = b"PK\x03\x04"
ZLIB = (b"\x78\x01", b"\x78\x9c", b"\x78\xda")
_BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, ZstdError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Bounded:
    """A file to write to that holds at most `limit` bytes; writing more raises LookupFailure (too large)."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = limit

    def write(self, data: bytes) -> int:
        if self._file.tell() + len(data) > self._limit:
            raise LookupFailure(FailureKind.TOO_LARGE, "the file is larger than allowed")
        return self._file.write(data)

    def seek(self, offset: int) -> int:
        return self._file.seek(offset)

    def truncate(self) -> int:
        return self._file.truncate()


def decompress(source: BinaryIO, target: BinaryIO) -> bool:
    """Write the unpacked content of `source` to `target` if it is packed in a way we know, and say whether it was.

    zstd, gzip, zlib, a zip or a cabinet with exactly one file. Raises LookupFailure (malformed, too large).
    """
    source.seek(0)
    magic = source.read(4)
    source.seek(0)
    try:
        return _unpack(magic, source, target)
    except _BROKEN as error:
        raise LookupFailure(FailureKind.MALFORMED, f"the compressed file is broken ({type(error).__name__})") from error


def _unpack(magic: bytes, source: BinaryIO, target: BinaryIO) -> bool:
    if magic == ZSTD:
        with ZstdFile(source) as stream:
            _copy(stream, target)
    elif magic.startswith(GZIP):
        with gzip.GzipFile(fileobj=source, mode="rb") as stream:
            _copy(stream, target)
    elif magic.startswith(ZLIB):
        _inflate(source, target)
    elif magic == ZIP:
        return _unzip(source, target)
    elif magic == cab.MAGIC and cab.file_count(source) == 1:
        cab.extract_only_file(source, target)
    else:
        return False
    return True


def _unzip(source: BinaryIO, target: BinaryIO) -> bool:
    with zipfile.ZipFile(source) as archive:
        if len(archive.infolist()) != 1:
            return False
        with archive.open(archive.infolist()[0]) as stream:
            _copy(stream, target)
    return True


def _inflate(source: BinaryIO, target: BinaryIO) -> None:
    stream = zlib.decompressobj()
    while not stream.eof:
        data = stream.unconsumed_tail or source.read(CHUNK_BYTES)
        if not data:
            raise EOFError
        target.write(stream.decompress(data, CHUNK_BYTES))


def _copy(stream: _Readable, target: BinaryIO) -> None:
    while chunk := stream.read(CHUNK_BYTES):
        target.write(chunk)
