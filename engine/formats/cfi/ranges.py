"""Ranges of addresses that may lie inside of each other, cut into ones that do not."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from operator import add, eq, ge, gt

MAX_ADDRESS = (1 << 64) - 1


class Ranges:
    """Starts, sizes and the places in the text of ranges, in the order of the text until they are arranged."""

    __slots__ = ("places", "sizes", "starts")

    def __init__(self) -> None:
        self.starts = array("Q")
        self.sizes = array("Q")
        self.places = array("Q")

    def __len__(self) -> int:
        return len(self.starts)

    def add(self, start: int, size: int, place: int) -> None:
        """Add a range; an empty one covers nothing and is passed over, one beyond 64 bits is cut there."""
        size = min(size, MAX_ADDRESS - start)
        if size:
            self.starts.append(start)
            self.sizes.append(size)
            self.places.append(place)

    def extend(self, starts: Iterable[int], sizes: Iterable[int], places: Iterable[int]) -> None:
        """Add many ranges of 64 bits at once."""
        before = len(self)
        self.starts.extend(starts)
        self.sizes.extend(sizes)
        self.places.extend(places)
        if 0 in self.sizes[before:] or max(map(add, self.starts[before:], self.sizes[before:])) > MAX_ADDRESS:
            added = [(numbers[before:], numbers) for numbers in (self.starts, self.sizes, self.places)]
            for _, numbers in added:
                del numbers[before:]
            for start, size, place in zip(*(taken for taken, _ in added), strict=True):
                self.add(start, size, place)

    @property
    def largest(self) -> int:
        """The greatest number that has to be stored; for arranged ranges."""
        if not len(self):
            return 0
        last_place = max(self.places)
        return max(self.starts[-1] + self.sizes[-1], last_place)

    def arranged(self) -> Ranges:
        """Sorted ranges that do not overlap, where the most specific range keeps what several claim.

        That is the one that starts last, of those that start together the shortest, of equal ones the first.
        """
        ordered = self._sorted()
        ends = map(add, ordered.starts, ordered.sizes)
        if any(map(gt, ends, ordered.starts[1:])):
            return _cut(ordered)
        return ordered

    def _sorted(self) -> Ranges:
        starts = self.starts
        if not any(map(ge, starts, starts[1:])):
            return self
        made = self._taken(sorted(range(len(starts)), key=starts.__getitem__))
        if any(map(eq, made.starts, made.starts[1:])):
            # What wins comes last among those that start together.
            made = self._taken(
                sorted(range(len(starts)), key=lambda at: (starts[at], -self.sizes[at], -self.places[at]))
            )
        return made

    def _taken(self, order: Sequence[int]) -> Ranges:
        made = Ranges()
        made.starts = array("Q", map(self.starts.__getitem__, order))
        made.sizes = array("Q", map(self.sizes.__getitem__, order))
        made.places = array("Q", map(self.places.__getitem__, order))
        return made


def _cut(ordered: Ranges) -> Ranges:
    """Cut by walking along: the open ranges are a pile, the topmost of which is the most specific."""
    made = Ranges()
    pile: list[tuple[int, int]] = []
    here = 0
    for start, size, place in zip(ordered.starts, ordered.sizes, ordered.places, strict=True):
        here = _advance(made, pile, here, start)
        pile.append((start + size, place))
    _advance(made, pile, here, MAX_ADDRESS)
    return made


def _advance(made: Ranges, pile: list[tuple[int, int]], here: int, until: int) -> int:
    """Give everything from `here` to `until` to the topmost open range each; gives the new place."""
    while pile and here < until:
        end, place = pile[-1]
        if end > here:
            made.add(here, min(end, until) - here, place)
            here = min(end, until)
        if end <= until:
            pile.pop()
    return until
