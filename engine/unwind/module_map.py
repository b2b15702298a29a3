"""Which module of a dump covers an address."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Protocol


class Placed(Protocol):
    """A module in memory: absolute address of its first byte, and size in bytes."""

    @property
    def base(self) -> int: ...

    @property
    def size(self) -> int: ...


class ModuleMap:
    """The modules of a dump by address. Of modules that overlap, the one that begins later has the shared part.

    `starts`, `ends` and `ids` run in parallel by address; `ids` are indexes in the list that the map was made of.
    All modules lie from `lowest` on and before `highest`.
    """

    __slots__ = ("bases", "ends", "highest", "ids", "lowest", "starts")

    def __init__(self, modules: Iterable[Placed]) -> None:
        listed = [(module.base, module.base + module.size) for module in modules]
        ordered = sorted((start, at, end) for at, (start, end) in enumerate(listed) if end > start)
        self.bases: list[int] = [start for start, _ in listed]
        self.starts: list[int] = [start for start, _, _ in ordered]
        self.ids: list[int] = [at for _, at, _ in ordered]
        self.ends: list[int] = [end for _, _, end in ordered]
        self.lowest = self.starts[0] if self.starts else 0
        self.highest = max(self.ends, default=0)

    def find(self, address: int) -> int | None:
        """The index of the module that covers an absolute address; the end is exclusive."""
        at = bisect_right(self.starts, address) - 1
        return self.ids[at] if at >= 0 and address < self.ends[at] else None
