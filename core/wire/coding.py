"""Content-Encoding of request bodies: crash clients pack the whole body, whatever is in it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from core.wire.errors import BodyBroken, BodyError
from core.wire.newer_codings import from_brotli, from_zstd

_STEP: Final = 256 * 1024
_GZIP: Final = 31
_ZLIB: Final = 15
_RAW: Final = -15
_ZLIB_HEADER: Final = 2


class UnknownCoding(BodyError):
    """The body is packed in a way that is not understood."""

    code = "unknown_coding"
    status = 415

    def __init__(self) -> None:
        super().__init__("The body's Content-Encoding must be gzip, deflate, br or zstd.")


def unpacked(chunks: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """The body as it was before its Content-Encoding (`coding`, empty for none), in pieces of at most 256 KiB.

    How much comes out is for the caller to bound. Raises UnknownCoding, and BodyBroken for data that is malformed or
    ends early.
    """
    match coding.strip().lower():
        case "" | "identity":
            return iter(chunks)
        case "gzip" | "x-gzip":
            return _members(chunks)
        case "deflate":
            return _deflated(iter(chunks))
        case "br":
            return from_brotli(chunks)
        case "zstd":
            return from_zstd(chunks)
    raise UnknownCoding


def _members(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Gzip allows several members one after another, and zeros behind them."""
    decoder = zlib.decompressobj(_GZIP)
    for chunk in chunks:
        data = chunk
        while data:
            if decoder.eof:
                data = data.lstrip(b"\0")
                if not data:
                    break
                decoder = zlib.decompressobj(_GZIP)
            yield from _inflated(decoder, data)
            data = decoder.unused_data
    if not decoder.eof:
        raise BodyBroken


def _deflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = b""
    while len(first) < _ZLIB_HEADER and (more := next(chunks, b"")):
        first += more
    decoder = zlib.decompressobj(_ZLIB if _has_zlib_header(first) else _RAW)
    for chunk in chain([first], chunks):
        yield from _inflated(decoder, chunk)
    if not decoder.eof:
        raise BodyBroken


def _has_zlib_header(head: bytes) -> bool:
    """Some clients send bare deflate under the same name."""
    return len(head) >= _ZLIB_HEADER and head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0


def _inflated(decoder: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    full = True
    while data or full:
        try:
            piece = decoder.decompress(data, _STEP)
        except zlib.error:
            raise BodyBroken from None
        data = decoder.unconsumed_tail
        # A full piece may leave more inside the decoder although all of its input is taken.
        full = len(piece) == _STEP and not decoder.eof
        if piece:
            yield piece
