"""The memory of a stack, read word by word."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from engine.unwind.model import Regions

if TYPE_CHECKING:
    from engine.minidump.model import Region

_CODES = {4: "I", 8: "Q"}


class Stack:
    """One region of memory as words of 4 or 8 bytes, in the byte order of the dump.

    `words` are those at multiples of the word size from `start`, `end` is the first address behind the region.
    """

    __slots__ = ("_data", "_form", "_memory", "_order", "end", "start", "width", "words")

    def __init__(self, region: Region, width: int, memory: Regions) -> None:
        self._data = region.data.cast("B")
        self._memory = memory
        self._order: Literal["little", "big"] = "little" if region.is_little else "big"
        self._form = ("<" if region.is_little else ">", _CODES[width])
        self.width = width
        self.start = region.start
        self.end = region.start + len(self._data)
        self.words = _words(self._data, width, self._order)

    def holds(self, address: int) -> bool:
        """Whether an absolute address lies in the region, where there is no code."""
        return self.start <= address < self.end

    def word(self, address: int) -> int | None:
        """The word at an absolute address, aligned or not; None unless all of it lies in the region."""
        offset = address - self.start
        if offset < 0 or offset + self.width > len(self._data):
            return None
        return int.from_bytes(self._data[offset : offset + self.width], self._order)

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
        return int.from_bytes(held, self._order) if len(held) == self.width else None

    def ahead(self, address: int, count: int) -> tuple[int, ...]:
        """At most `count` words from an absolute address on, as far as the region reaches."""
        offset = address - self.start
        count = min(count, (len(self._data) - offset) // self.width)
        if offset < 0 or count <= 0:
            return ()
        order, code = self._form
        return struct.unpack_from(f"{order}{count}{code}", self._data, offset)


def _words(data: memoryview, width: int, order: str) -> Sequence[int]:
    whole, code = data[: len(data) - len(data) % width], _CODES[width]
    if sys.byteorder == order:
        return whole.cast(code)  # type: ignore[call-overload,no-any-return]
    swapped = array(code)
    swapped.frombytes(whole)
    swapped.byteswap()
    return swapped
