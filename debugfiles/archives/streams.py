"""Bytes that come one after another and are read only once."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from typing import Final

from debugfiles.archives.entries import PIECE_BYTES
from engine.formats.bytewise import FormatError

_RELIEF_BYTES: Final = 32 << 20


def sliced(data: memoryview) -> Iterator[bytes]:
    """All of `data`, piece by piece."""
    pieces = (bytes(data[start : start + PIECE_BYTES]) for start in range(0, len(data), PIECE_BYTES))
    return relieved(pieces, data)


def relieved(pieces: Iterable[bytes], data: memoryview) -> Iterator[bytes]:
    """The same pieces, which come out of the mapped file `data`: what was read of it does not stay in memory."""
    passed = 0
    for piece in pieces:
        yield piece
        passed += len(piece)
        if passed > _RELIEF_BYTES and isinstance(data.obj, mmap.mmap):
            data.obj.madvise(mmap.MADV_DONTNEED)
            passed = 0


class ByteStream:
    """Reads a sequence of pieces. `position` counts the bytes that were taken."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = memoryview(b"")
        self.position = 0

    def some(self, most: int) -> bytes:
        """From 1 to `most` bytes; none at the end."""
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._held = memoryview(piece)
        taken, self._held = self._held[:most], self._held[most:]
        self.position += len(taken)
        return bytes(taken)

    def up_to(self, size: int) -> bytes:
        """`size` bytes, or fewer where the stream ends."""
        taken = bytearray()
        while len(taken) < size and (piece := self.some(size - len(taken))):
            taken += piece
        return bytes(taken)

    def exactly(self, size: int) -> bytes:
        """`size` bytes. Raises FormatError when the stream ends before."""
        taken = self.up_to(size)
        if len(taken) != size:
            raise FormatError("the archive ends too early")
        return taken

    def skip(self, size: int) -> None:
        """Pass over `size` bytes. Raises FormatError when the stream ends before."""
        while size > 0:
            size -= len(self._next(size))

    def section(self, size: int) -> Section:
        """The next `size` bytes, to be read before anything behind them."""
        return Section(self, size)

    def _next(self, most: int) -> bytes:
        piece = self.some(min(most, PIECE_BYTES))
        if not piece:
            raise FormatError("the archive ends too early")
        return piece


class Section:
    """A part of a stream: read piece by piece, what nobody read is skipped at the end."""

    def __init__(self, stream: ByteStream, size: int) -> None:
        self._stream = stream
        self._left = size

    def __iter__(self) -> Iterator[bytes]:
        """The pieces that are left. Raises FormatError when the stream ends before the section does."""
        while self._left:
            piece = self._stream._next(self._left)
            self._left -= len(piece)
            yield piece

    def skip(self) -> None:
        """Pass over what is left. Raises FormatError."""
        left, self._left = self._left, 0
        self._stream.skip(left)
