"""Bytes read one after another with every bound checked, and the one error that all formats share."""

from __future__ import annotations

import mmap
from io import BytesIO
from typing import BinaryIO, TypeAlias

from engine.errors import FailureKind, LookupFailure

Data: TypeAlias = bytes | bytearray | memoryview | mmap.mmap


class FormatError(LookupFailure):
    """A file breaks the rules of its format, or exceeds the bounds that we read within. Always `malformed`."""

    code = "malformed"

    def __init__(self, problem: str) -> None:
        super().__init__(FailureKind.MALFORMED, problem)


def viewed(data: Data) -> memoryview:
    """The bytes of `data` without a copy."""
    return memoryview(data).cast("B")


def part(data: memoryview, start: int, size: int, what: str) -> memoryview:
    """Exactly `size` bytes from `start`; FormatError naming `what` when they are not all there."""
    if start < 0 or size < 0 or start + size > len(data):
        raise FormatError(f"{what} reaches beyond the end")
    return data[start : start + size]


class Cursor:
    """Little-endian numbers and byte runs, read one after another. Everything raises FormatError at the end."""

    __slots__ = ("_data", "_what", "position")

    def __init__(self, data: memoryview, what: str, position: int = 0) -> None:
        self._data = data
        self._what = what
        self.position = position

    @property
    def left(self) -> int:
        """How many bytes follow."""
        return len(self._data) - self.position

    def take(self, size: int) -> memoryview:
        taken = part(self._data, self.position, size, self._what)
        self.position += size
        return taken

    def number(self, size: int) -> int:
        """An unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def u8(self) -> int:
        position = self.position
        if not 0 <= position < len(self._data):
            raise FormatError(f"{self._what} reaches beyond the end")
        self.position = position + 1
        return self._data[position]

    def u16(self) -> int:
        return self.number(2)

    def u32(self) -> int:
        return self.number(4)

    def u64(self) -> int:
        return self.number(8)

    def terminated(self, longest: int) -> bytes:
        """The bytes before the next NUL, which must come within `longest` bytes; the NUL is passed over."""
        ahead = bytes(self._data[self.position : self.position + longest + 1])
        end = ahead.find(b"\0")
        if end < 0:
            raise FormatError(f"{self._what} holds a name without an end")
        self.position += end + 1
        return ahead[:end]


def mapped(source: BinaryIO) -> memoryview:
    """All bytes of an open file, wherever its position is: mapped when it lies on disk, in place when in memory.

    The mapping goes with the last view of it: closing it earlier fails while an error still refers to a piece.
    """
    if isinstance(source, BytesIO):
        return source.getbuffer()
    source.flush()
    if source.seek(0, 2) == 0:
        return memoryview(b"")
    return memoryview(mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ))
