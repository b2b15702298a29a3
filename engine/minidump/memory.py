"""The memory of the process that the dump holds: the 32-bit and the 64-bit list, found by address."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from engine.minidump.image import Image, Layout, Unreadable
from engine.minidump.lists import counted
from engine.minidump.model import Region

LIST = 5
LIST64 = 9
MAX_BLOCKS = 1 << 18
BLOCK = Layout("QII")
_BLOCK64 = Layout("QQ")


class Block(NamedTuple):
    """A run of memory: absolute address, size, and its offset in the file."""

    start: int
    size: int
    at: int


class Memory:
    """All memory of a dump. Of blocks that overlap, the one that begins first keeps what they share."""

    __slots__ = ("_blocks", "_data", "_is_little", "_starts")

    def __init__(self, data: memoryview, blocks: Iterable[Block], *, is_little: bool = True) -> None:
        self._data = data
        self._is_little = is_little
        self._blocks = _apart(sorted(blocks, key=_order))
        self._starts = [block.start for block in self._blocks]

    def find(self, address: int) -> Region | None:
        """The region that holds an absolute address."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        start, size, at = self._blocks[index]
        return Region(start, self._data[at : at + size], self._is_little) if address < start + size else None

    def __len__(self) -> int:
        return len(self._blocks)

    def __iter__(self) -> Iterator[Region]:
        return (Region(start, self._data[at : at + size], self._is_little) for start, size, at in self._blocks)


def _order(block: Block) -> tuple[int, int]:
    return block.start, -block.size


def _apart(ordered: Sequence[Block]) -> list[Block]:
    """Cut what an earlier block holds already off the later ones."""
    kept: list[Block] = []
    end = 0
    for block in ordered:
        known = max(end - block.start, 0)
        if known >= block.size:
            continue
        kept.append(Block(block.start + known, block.size - known, block.at + known) if known else block)
        end = block.start + block.size
    return kept


def read_list(image: Image, at: int, size: int) -> list[Block]:
    """The blocks of the 32-bit list that lie in the file as a whole."""
    first, count = counted(image, at, size, BLOCK, at_most=MAX_BLOCKS)
    rows = image.rows(BLOCK, first, count)
    return [Block(start, length, place) for start, length, place in rows if place + length <= image.size]


def read_list64(image: Image, at: int, size: int) -> list[Block]:
    """The blocks of the 64-bit list, contents one after another. The one that the end cuts off is shortened."""
    if size < 16:
        raise Unreadable("the list has no header")
    count, place = image.unpack(_BLOCK64, at)
    if count * _BLOCK64.size > size - 16 or count > MAX_BLOCKS:
        raise Unreadable(f"the list claims {count} blocks and does not hold them")
    blocks = []
    for start, length in image.rows(_BLOCK64, at + 16, count):
        if place < image.size:
            blocks.append(Block(start, min(length, image.size - place), place))
        place += length
    return blocks
