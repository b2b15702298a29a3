"""What a symbol server packed, unpacked: one layer, recognised by its first bytes.

Zstandard, gzip, zlib, and ZIP archives or cabinets that hold exactly one file. A ZIP archive of a dSYM bundle counts as
the one file in it that matters, its debug information.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO

from engine.formats.bytewise import FormatError, mapped
from engine.formats.dsym import dwarf_paths
from engine.formats.packed.cab import cab_pieces
from engine.formats.packed.inflate import GZIP, PIECE_BYTES, ZLIB, inflated
from engine.formats.packed.zip import ZipArchive

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LONGEST_MAGIC = 4
_ZSTD_WINDOW_LOG = 27


def decompress(source: BinaryIO, target: BinaryIO, *, max_bytes: int) -> bool:
    """Unpack the whole of `source` into `target`; False, with nothing written, when it is not packed.

    `source` is a file on disk or a BytesIO, read from its start wherever its position is, which may move. `target` is
    written piece by piece, at most `max_bytes`. Raises FormatError for broken input, for archives of several files,
    for cabinets packed with LZX, and for content of more than `max_bytes`; `target` then holds a part.
    """
    data = mapped(source)
    unpack = _recognise(bytes(data[:LONGEST_MAGIC]))
    if unpack is None:
        return False
    left = max_bytes
    for piece in unpack(data):
        left -= len(piece)
        if left < 0:
            raise FormatError(f"the unpacked file has more than {max_bytes} bytes")
        target.write(piece)
    return True


def is_packed(head: bytes) -> bool:
    """Whether a file that begins with `head` (4 bytes or more) is one that `decompress` would unpack."""
    return _recognise(head) is not None


def _recognise(head: bytes) -> Callable[[memoryview], Iterator[bytes]] | None:
    return next((unpack for magic, unpack in _PACKINGS if head.startswith(magic)), None)


def _unzstd(data: memoryview) -> Iterator[bytes]:
    """All frames, one after another."""
    position = 0
    while position < len(data):
        position = yield from _unzstd_frame(data, position)


def _unzstd_frame(data: memoryview, position: int) -> Generator[bytes, None, int]:
    """The pieces of one frame; the generator's value is where it ends."""
    decoder = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})
    while not decoder.eof:
        given = data[position : position + PIECE_BYTES] if decoder.needs_input else data[:0]
        position += len(given)
        if decoder.needs_input and not given:
            raise FormatError("the compressed data is not complete")
        try:
            piece = decoder.decompress(given, PIECE_BYTES)
        except zstd.ZstdError:
            raise FormatError("the compressed data is broken") from None
        if piece:
            yield piece
    return position - len(decoder.unused_data)


def _gunzip(data: memoryview) -> Iterator[bytes]:
    """All members, one after another; zeros may follow them, as tapes have it."""
    position = 0
    while position < len(data):
        position = yield from inflated(data, GZIP, position)
        if not any(data[position : position + LONGEST_MAGIC]):
            return


def _unzlib(data: memoryview) -> Iterator[bytes]:
    yield from inflated(data, ZLIB)


def _unzip(data: memoryview) -> Iterator[bytes]:
    archive = ZipArchive(data)
    names = list(archive.members)
    if len(names) != 1:
        names = dwarf_paths(names)
    if len(names) != 1:
        held = f"{len(names)} dSYM bundles" if names else f"{len(archive.members)} files"
        raise FormatError(f"the ZIP archive holds {held}; exactly one is expected")
    return archive.pieces(archive.members[names[0]])


_PACKINGS: tuple[tuple[bytes, Callable[[memoryview], Iterator[bytes]]], ...] = (
    (b"\x28\xb5\x2f\xfd", _unzstd),
    (b"\x1f\x8b", _gunzip),
    (b"\x78\x01", _unzlib),
    (b"\x78\x9c", _unzlib),
    (b"\x78\xda", _unzlib),
    (b"PK\3\4", _unzip),
    (b"MSCF", cab_pieces),
)
