"""What of a range of addresses is not known already."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """A range of addresses, `end` exclusive."""

    start: int
    end: int


class Gaps:
    """The addresses that none of the known ranges holds. Known ranges may overlap."""

    def __init__(self, known: Iterable[Span]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(known):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)

    def within(self, span: Span) -> Iterator[Span]:
        """The parts of a range that are not known, ascending; none of a range that begins below zero or is empty."""
        here, end = span
        if here < 0:
            return
        at = max(bisect_right(self._starts, here) - 1, 0)
        while here < end and at < len(self._starts):
            if here < min(self._starts[at], end):
                yield Span(here, min(self._starts[at], end))
            here = max(here, self._ends[at])
            at += 1
        if here < end:
            yield Span(here, end)
