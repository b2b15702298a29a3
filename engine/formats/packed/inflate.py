"""Deflate streams, decoded piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import Generator

from engine.formats.bytewise import FormatError

PIECE_BYTES = 1 << 18
RAW = -zlib.MAX_WBITS
ZLIB = zlib.MAX_WBITS
GZIP = 16 + zlib.MAX_WBITS


def inflated(data: memoryview, wrapping: int, start: int = 0) -> Generator[bytes, None, int]:
    """The pieces of one stream that begins at `start`; the generator's value is where it ends.

    `wrapping` is RAW, ZLIB or GZIP. The caller bounds the sum. Raises FormatError for broken or incomplete input.
    """
    decoder = zlib.decompressobj(wrapping)
    position = start
    while not decoder.eof:
        given: bytes | memoryview = decoder.unconsumed_tail
        if not given:
            given = data[position : position + PIECE_BYTES]
            position += len(given)
        try:
            piece = decoder.decompress(given, PIECE_BYTES)
        except zlib.error:
            raise FormatError("the compressed data is broken") from None
        if not piece and not given:
            raise FormatError("the compressed data is not complete")
        if piece:
            yield piece
    return position - len(decoder.unused_data)


def inflate(data: memoryview, wrapping: int, *, size: int) -> bytes:
    """A whole stream that must have exactly `size` bytes; FormatError when it has more or less."""
    pieces = bytearray()
    for piece in inflated(data, wrapping):
        pieces += piece
        if len(pieces) > size:
            break
    if len(pieces) != size:
        raise FormatError("the compressed data has another size than its header says")
    return bytes(pieces)
