"""Brotli and Zstandard, as newer clients pack bodies: Sentry's for Python uses Brotli wherever it is installed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Final

import brotli

from core.wire.errors import BodyBroken

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_STEP: Final = 256 * 1024
# What RFC 9659 allows a body: a decoder keeps 8 MiB at most.
_WINDOW_LOG: Final = 23


def from_brotli(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What was packed by Brotli. Raises BodyBroken for data that is malformed, ends early or goes on behind its end."""
    decoder = brotli.Decompressor()
    for chunk in chunks:
        data = chunk
        try:
            while piece := decoder.process(data, output_buffer_limit=_STEP):
                yield piece
                data = b""
                if decoder.is_finished():
                    break
        except brotli.error:
            raise BodyBroken from None
    if not decoder.is_finished():
        raise BodyBroken


def from_zstd(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What was packed by Zstandard, in one frame or several. Raises BodyBroken for data malformed or ending early."""
    decoder = _zstd_decoder()
    for chunk in chunks:
        data = chunk
        while data or not (decoder.needs_input or decoder.eof):
            if decoder.eof:
                decoder = _zstd_decoder()
            try:
                piece = decoder.decompress(data, _STEP)
            except zstd.ZstdError:
                raise BodyBroken from None
            # Empty unless the frame has ended.
            data = decoder.unused_data
            if piece:
                yield piece
    if not decoder.eof:
        raise BodyBroken


def _zstd_decoder() -> zstd.ZstdDecompressor:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})
