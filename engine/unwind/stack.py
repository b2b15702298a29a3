"""The memory of a stack, read word by word."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.unwind.model import Regions

if TYPE_CHECKING:
    from engine.minidump.model import Region

_CODES = {4: "I", 8: "Q"}


class Stack:
    """One region of memory as little-endian words of 4 or 8 bytes.

    `words` are those at multiples of the word size from `start`, `end` is the first address behind the region.
    """

    __slots__ = ("_code", "_data", "_memory", "end", "start", "width", "words")

    def __init__(self, region: Region, width: int, memory: Regions) -> None:
        self._data = region.data.cast("B")
        self._memory = memory
        self._code = _CODES[width]
        self.width = width
        self.start = region.start
        self.end = region.start + len(self._data)
        self.words = _words(self._data, width, self._code)

    def word(self, address: int) -> int | None:
        """The word at an absolute address, aligned or not; None unless all of it lies in the region."""
        offset = address - self.start
        if offset < 0 or offset + self.width > len(self._data):
            return None
        return int.from_bytes(self._data[offset : offset + self.width], "little")

    def load(self, address: int) -> int | None:
        """The word at an absolute address, of this region or of any other memory of the process."""
        found = self.word(address)
        return found if found is not None else self._elsewhere(address)

    def _elsewhere(self, address: int) -> int | None:
        region = self._memory.find(address)
        if region is None:
            return None
        offset = address - region.start
        held = bytes(region.data[offset : offset + self.width])
        return int.from_bytes(held, "little") if len(held) == self.width else None

    def ahead(self, address: int, count: int) -> tuple[int, ...]:
        """At most `count` words from an absolute address on, as far as the region reaches."""
        offset = address - self.start
        count = min(count, (len(self._data) - offset) // self.width)
        if offset < 0 or count <= 0:
            return ()
        return struct.unpack_from(f"<{count}{self._code}", self._data, offset)


def _words(data: memoryview, width: int, code: str) -> Sequence[int]:
    whole = data[: len(data) - len(data) % width]
    if sys.byteorder == "little":
        return whole.cast(code)  # type: ignore[call-overload,no-any-return]
    swapped = array(code, whole)
    swapped.byteswap()
    return swapped
