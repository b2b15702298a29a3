"""The memory information list: how the address space was laid out and protected (MEMORY_BASIC_INFORMATION)."""

from __future__ import annotations

from typing import NamedTuple

from engine.minidump.image import Image, Layout
from engine.minidump.lists import headed

STREAM = 16
MAX_RANGES = 1 << 18
_HEADER = Layout("IIQ")
_RANGE = Layout("QQI4xQIII4x")


class MemoryRange(NamedTuple):
    """A run of pages that are alike: absolute address, size in bytes, and Windows' MEM_* and PAGE_* numbers."""

    start: int
    allocation: int
    allocation_protection: int
    size: int
    state: int
    protection: int
    type: int


def read_memory_info(image: Image, at: int, size: int) -> tuple[MemoryRange, ...]:
    """The ranges in the order of the dump."""
    first, count, step = headed(image, at, size, _HEADER, _RANGE.size, at_most=MAX_RANGES)
    return tuple(MemoryRange(*image.unpack(_RANGE, first + number * step)) for number in range(count))
