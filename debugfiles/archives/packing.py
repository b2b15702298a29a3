"""Single packed streams: gzip, bzip2, xz, lzma and Zstandard, unpacked piece by piece within bounded memory."""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Final, Protocol

from debugfiles.archives.entries import PIECE_BYTES
from engine.formats.bytewise import FormatError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# What the largest presets need; a dictionary beyond it is refused.
MEMORY_BYTES: Final = 192 << 20
_ZSTD_WINDOW_LOG: Final = 27
_GZIP: Final = 16 + zlib.MAX_WBITS
_ERRORS: Final = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, ValueError, EOFError)


class Decoder(Protocol):
    """What the decompressors of the standard library have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


class Inflater:
    """zlib's decompressor in the manner of the others."""

    def __init__(self, wrapping: int) -> None:
        self._decoder = zlib.decompressobj(wrapping)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def needs_input(self) -> bool:
        return not self._decoder.unconsumed_tail and not self._full

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        """At most `max_length` bytes; input that was not taken is kept."""
        piece = self._decoder.decompress(self._decoder.unconsumed_tail + data, max_length)
        self._full = len(piece) == max_length
        return piece


class Packing:
    """One way of packing: its name for people, and what unpacks one of possibly several streams in a row."""

    def __init__(self, name: str, suffixes: tuple[str, ...], make: Callable[[], Decoder], *, many: bool = True) -> None:
        self.name = name
        self.suffixes = suffixes
        self._make = make
        self._many = many

    def unpacked(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The content. Raises FormatError for what is broken, ends early, or needs too much memory."""
        decoder, given = self._make(), iter(pieces)
        for piece in given:
            rest = piece
            while rest:
                if decoder.eof:
                    rest = rest.lstrip(b"\0")
                    if not rest or not self._many:
                        break
                    decoder = self._make()
                yield from decoded(decoder, rest)
                rest = decoder.unused_data if decoder.eof else b""
        if not decoder.eof:
            raise FormatError(f"the {self.name} data ends too early")


def decoded(decoder: Decoder, data: bytes) -> Iterator[bytes]:
    """What comes out of `decoder` for `data`, in pieces of bounded size. Raises FormatError."""
    while True:
        try:
            piece = decoder.decompress(data, PIECE_BYTES)
        except MemoryError:
            raise FormatError("unpacking it needs more memory than is allowed") from None
        except _ERRORS as error:
            raise FormatError(_reason(error)) from None
        data = b""
        if piece:
            yield piece
        if decoder.eof or decoder.needs_input:
            return


def _reason(error: Exception) -> str:
    if isinstance(error, lzma.LZMAError) and "emory" in str(error):
        return "unpacking it needs more memory than is allowed"
    return "the packed data is broken"


def zstd_decoder() -> Decoder:
    """For one frame of Zstandard."""
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})


GZIP: Final = Packing("gzip", (".gz",), lambda: Inflater(_GZIP))
BZIP2: Final = Packing("bzip2", (".bz2",), bz2.BZ2Decompressor)
XZ: Final = Packing("xz", (".xz",), lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY_BYTES))
LZMA: Final = Packing("lzma", (".lzma",), lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, MEMORY_BYTES), many=False)
ZSTD: Final = Packing("Zstandard", (".zst",), zstd_decoder)

_MAGICS: Final = MappingProxyType(
    {b"\x1f\x8b\x08": GZIP, b"BZh": BZIP2, b"\xfd7zXZ\0": XZ, b"\x28\xb5\x2f\xfd": ZSTD},
)
_LZMA_HEADER: Final = 13


def packing_of(head: bytes) -> Packing | None:
    """How a file that begins with `head` is packed, if it is."""
    for magic, packing in _MAGICS.items():
        if head.startswith(magic):
            return packing
    return LZMA if _is_lzma(head) else None


def _is_lzma(head: bytes) -> bool:
    """The old format has no magic: the usual properties, a dictionary of a usual size, a plausible length."""
    if len(head) < _LZMA_HEADER or head[0] != 0x5D:
        return False
    dictionary = int.from_bytes(head[1:5], "little")
    length = int.from_bytes(head[5:13], "little")
    usual = dictionary >= 1 << 12 and dictionary.bit_count() in (1, 2)
    return usual and (length == 2**64 - 1 or length < 1 << 40)
