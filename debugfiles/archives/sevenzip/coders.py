"""Unpacking a folder of a 7z archive: one chain of steps, each with one input and one output."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from debugfiles.archives.packing import MEMORY_BYTES, Decoder, Inflater, decoded, zstd_decoder
from debugfiles.archives.sevenzip.header import Coder, Folder
from debugfiles.archives.streams import sliced
from debugfiles.archives.zip import lzma_filter
from engine.formats.bytewise import FormatError

_COPY, _LZMA, _LZMA2, _DELTA = b"\x00", b"\x03\x01\x01", b"\x21", b"\x03"
_DEFLATE, _BZIP2, _ZSTD = b"\x04\x01\x08", b"\x04\x02\x02", b"\x04\xf7\x11\x01"
_BRANCHES: Final = MappingProxyType(
    {
        b"\x03\x03\x01\x03": lzma.FILTER_X86,
        b"\x03\x03\x02\x05": lzma.FILTER_POWERPC,
        b"\x03\x03\x04\x01": lzma.FILTER_IA64,
        b"\x03\x03\x05\x01": lzma.FILTER_ARM,
        b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB,
        b"\x03\x03\x08\x05": lzma.FILTER_SPARC,
        b"\x04": lzma.FILTER_X86,
        b"\x05": lzma.FILTER_POWERPC,
        b"\x06": lzma.FILTER_IA64,
        b"\x07": lzma.FILTER_ARM,
        b"\x08": lzma.FILTER_ARMTHUMB,
        b"\x09": lzma.FILTER_SPARC,
    }
)
_NAMES: Final = MappingProxyType(
    {
        b"\x03\x03\x01\x1b": "BCJ2 (pack it with `-mf=off`)",
        b"\x03\x04\x01": "PPMd",
        b"\x04\x01\x09": "Deflate64",
        b"\x0a": "the filter for ARM64 (pack it with `-mf=off`)",
        b"\x0b": "the filter for RISC-V (pack it with `-mf=off`)",
    }
)
_AES: Final = b"\x06\xf1\x07"


class Unreadable(FormatError):
    """A folder is packed in a way that cannot be unpacked here, or encrypted."""


def unpacked(folder: Folder, data: memoryview) -> Iterator[bytes]:
    """The content of a folder whose packed stream is `data`: exactly as many bytes as the header says.

    Raises Unreadable at once, and FormatError on the way.
    """
    chain = _chain(folder)
    return _exactly(_pieces(chain, data, folder.size), folder.size)


def _chain(folder: Folder) -> list[Coder]:
    """The steps from the content to what is packed."""
    for coder in folder.coders:
        if coder.id.startswith(_AES):
            raise Unreadable("encrypted")
        if coder.id in _NAMES:
            raise Unreadable(f"packed with {_NAMES[coder.id]}, which is not readable here")
    if folder.packed != 1 or any(coder.inputs != 1 or coder.outputs != 1 for coder in folder.coders):
        raise Unreadable("packed in a way that is not readable here")
    taken_from = dict(folder.pairs)
    bound = set(taken_from.values())
    step = next((index for index in range(len(folder.coders)) if index not in bound), None)
    chain: list[Coder] = []
    while step is not None and len(chain) < len(folder.coders):
        if step >= len(folder.coders):
            raise FormatError("the header of the 7z archive is not valid")
        chain.append(folder.coders[step])
        step = taken_from.get(step)
    if step is not None or len(chain) != len(folder.coders):
        raise FormatError("the header of the 7z archive is not valid")
    return chain


def _pieces(chain: list[Coder], data: memoryview, size: int) -> Iterator[bytes]:
    *filters, last = chain
    if last.id in (_LZMA, _LZMA2):
        before = [_filter(coder) for coder in filters]
        packing = lzma_filter(last.properties, size) if last.id == _LZMA else _lzma2_filter(last.properties, size)
        if before and last.id == _LZMA:
            return _with_tail(before, packing, data)
        return _decoded(_raw([*before, packing]), data)
    if filters:
        raise Unreadable("packed in a way that is not readable here")
    if last.id == _COPY:
        return sliced(data)
    return _decoded(_decoder(last), data)


def _decoder(coder: Coder) -> Decoder:
    match coder.id:
        case b"\x04\x01\x08":
            return Inflater(-zlib.MAX_WBITS)
        case b"\x04\x02\x02":
            return bz2.BZ2Decompressor()
        case b"\x04\xf7\x11\x01":
            return zstd_decoder()
    raise Unreadable(f"packed with method {coder.id.hex()}, which is not readable here")


def _raw(filters: list[dict[str, int]]) -> Decoder:
    try:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    except (lzma.LZMAError, ValueError):
        raise FormatError("the properties of packed data are not valid") from None


def _filter(coder: Coder) -> dict[str, int]:
    if coder.id == _DELTA and len(coder.properties) == 1:
        return {"id": lzma.FILTER_DELTA, "dist": coder.properties[0] + 1}
    if coder.id in _BRANCHES and not coder.properties:
        return {"id": _BRANCHES[coder.id]}
    raise Unreadable("packed in a way that is not readable here")


def _lzma2_filter(properties: bytes, size: int) -> dict[str, int]:
    """One byte: the dictionary's size, in steps of one and a half and two."""
    if len(properties) != 1 or properties[0] > 40:
        raise FormatError("the properties of packed data are not valid")
    bits = properties[0]
    dictionary = 0xFFFFFFFF if bits == 40 else (2 | bits & 1) << (bits // 2 + 11)
    dictionary = max(min(dictionary, size), 1 << 12)
    if dictionary > MEMORY_BYTES:
        raise FormatError("unpacking it needs more memory than is allowed")
    return {"id": lzma.FILTER_LZMA2, "dict_size": dictionary}


def _decoded(decoder: Decoder, data: memoryview) -> Iterator[bytes]:
    for piece in sliced(data):
        if decoder.eof:
            return
        yield from decoded(decoder, piece)


def _with_tail(filters: list[dict[str, int]], packing: dict[str, int], data: memoryview) -> Iterator[bytes]:
    """A filter over a stream that has no mark at its end: the library keeps the last bytes back, waiting for more.

    Those are bytes that the filter would not change, so they are taken from the same stream without the filter.
    """
    decoder, plain, given = _raw([*filters, packing]), _raw([packing]), 0
    seen, last = 0, b""
    for piece in sliced(data):
        for made in decoded(decoder, piece):
            given += len(made)
            yield made
        for made in decoded(plain, piece):
            seen += len(made)
            last = (last + made)[-64:]
    held = seen - given
    if 0 < held <= len(last):
        yield last[-held:]


def _exactly(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    for piece in pieces:
        wanted = piece[:size]
        size -= len(wanted)
        if wanted:
            yield wanted
        if not size:
            return
    if size:
        raise FormatError("the packed data of the 7z archive ends too early")
