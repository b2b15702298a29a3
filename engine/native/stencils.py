"""Answers to stacks that are recognised, ready but for where their modules are.

A stencil is the JSON of a stack's frames as the answer has it, with holes for the pages of absolute addresses. It is
made with what writes all other stacks, by letting that write the stack as it would be with its modules at places where
nobody has any, and it is kept only if it gives what was just answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import copy
from itertools import count
from operator import attrgetter
from typing import NamedTuple

from engine.native.frames import Writer
from engine.native.ground import PAGE, PAGE_BITS
from engine.native.memory import TwoGenerations
from engine.native.outlines import Outline, Recognised, picker
from engine.native.places import NOWHERE, FirstKind, Placed, Places, Seat, first_kind
from engine.native.wire import Thread

_LIMIT_BYTES = 32 * 1024 * 1024
_ENTRY_BYTES = 1500
_PART_BYTES = 90

# Where modules and frames in none are put to find the holes: places by their numbers.
_MODULES_AT = 0xA5C3 << 48
_LOOSE_AT = 0xA5C4 << 48
_APART = 1 << 32
# Callers' addresses are looked up some bytes lower, which may be before the module.
_MIDDLE = 1 << 30
_MIDDLE_PAGE = _MIDDLE >> PAGE_BITS
_LOOSE = "a5c4"
_MARK = re.compile(r'"0x(a5c[34])([0-9a-f]{4})([0-9a-f]{5})(?=[0-9a-f]{3}")')
_STATE = attrgetter("state")


class Key(NamedTuple):
    """What decides a stencil: the stack, what is known of its modules, and how its first address is taken."""

    outline: Outline
    states: tuple[str, ...]
    first: FirstKind


class Standing:
    """A recognised stack within one request. `seats` are those of its stretches."""

    __slots__ = ("_places", "known", "outline", "seats", "thread")

    def __init__(self, thread: Thread, known: Recognised, places: Places) -> None:
        self.thread = thread
        self.known = known
        self.outline = known.outline
        self.seats = [places.seats[pages.module] for pages in known.pages]
        self._places = places

    def key(self, signal: int | None) -> Key:
        """What a stencil for it is kept by, once it is known what its modules have."""
        states = tuple(map(_STATE, self.seats))
        return Key(self.outline, states, first_kind(self.thread, self._places.ground, signal))

    def count(self, seat: Seat) -> int:
        """How many frames lie in a seat."""
        return self.outline.counts[self.seats.index(seat)] if seat in self.seats else 0


class Stencil:
    """The frames of an answer, but for where the modules are."""

    __slots__ = ("_fill", "_marks", "_more", "_parts", "size")

    def __init__(self, outline: Outline, text: str, marks: list[tuple[int, int, int]]) -> None:
        """`text` is the JSON with everything at the places for finding the holes.

        `marks` are stretches with how many of their frames failed, and how many were dropped.
        """
        self._marks = marks
        pieces = _MARK.split(text)
        marked = [(int(number, 16), int(page, 16) - _MIDDLE_PAGE) for number, page in _pairs(pieces)]
        loose = [kind == _LOOSE for kind in pieces[1::4]]
        known = {cell: number for number, cell in enumerate(outline.cells)}
        more = sorted({cell for cell, alone in zip(marked, loose, strict=True) if not alone} - known.keys())
        behind = len(known) + outline.loose
        known |= {cell: behind + number for number, cell in enumerate(more)}
        self._more = more
        self._fill = picker(
            [len(outline.cells) + cell[0] if alone else known[cell] for cell, alone in zip(marked, loose, strict=True)]
        )
        self._parts = [b""] * (2 * len(marked) + 1)
        self._parts[::2] = [f'{piece}"0x'.encode() for piece in pieces[:-1:4]] + [pieces[-1].encode()]
        self.size = _ENTRY_BYTES + len(text) + _PART_BYTES * len(self._parts)

    def write(self, standing: Standing) -> bytes:
        """The frames of a stack, counting those without a name in their seats."""
        for stretch, failed, dropped in self._marks:
            standing.seats[stretch].failed += failed
            standing.seats[stretch].dropped += dropped
        return self.fill(standing)

    def fill(self, standing: Standing) -> bytes:
        """The frames of a stack."""
        known = standing.known
        pages = known.pages
        texts = known.texts + [pages[stretch].around(page) for stretch, page in self._more]
        parts = self._parts.copy()
        parts[1::2] = self._fill(texts)
        return b"".join(parts)


class Stencils:
    """Stencils of a process, in at most `limit` bytes. Safe to use from several threads."""

    def __init__(self, limit: int = _LIMIT_BYTES) -> None:
        self._known: TwoGenerations[Key, Stencil] = TwoGenerations(limit)

    def get(self, key: Key) -> Stencil | None:
        return self._known.get(key)

    def learn(self, standing: Standing, signal: int | None, placed: Placed, written: bytes, writer: Writer) -> None:
        """Remember what was written for a recognised stack. `placed` is as it was then, with nothing lacking."""
        if any(seat.managed for seat in standing.seats):
            return
        # Links lead to what may change.
        if any(writer.candidates(placed, index) for index in range(len(placed.frames))):
            return
        seats = _moved_seats(standing.seats)
        text = writer.write(_moved(placed, standing.outline, seats))
        marks = [(at, seat.failed, seat.dropped) for at, seat in enumerate(seats) if seat.failed or seat.dropped]
        stencil = Stencil(standing.outline, text, marks)
        if stencil.fill(standing) == written:
            self._known.put(standing.key(signal), stencil, stencil.size)


def _pairs(pieces: list[str]) -> Iterator[tuple[str, str]]:
    """Numbers and pages of the holes in a text that was split at them."""
    return zip(pieces[2::4], pieces[3::4], strict=True)


def _moved_seats(seats: Sequence[Seat]) -> list[Seat]:
    """The seats of stretches, each at its own place for finding holes."""
    moved = [copy(seat) for seat in seats]
    for at, seat in enumerate(moved):
        seat.address = _MODULES_AT + at * _APART + _MIDDLE
        seat.dropped = seat.failed = 0
        seat.lacking = set()
    return moved


def _moved(placed: Placed, outline: Outline, seats: Sequence[Seat]) -> Placed:
    """A stack with its modules in these seats, and its frames in no module at places for finding holes."""
    numbers = count()
    given, adjusted, taken = [], [], []
    for spot, address, looked_up, seat in zip(outline.spots, placed.given, placed.adjusted, placed.seats, strict=True):
        there = NOWHERE if spot.stretch < 0 else seats[spot.stretch]
        moved = there.address + address - seat.address
        if spot.is_loose:
            moved = _LOOSE_AT + next(numbers) * _APART + address % PAGE
        given.append(moved)
        adjusted.append(moved + looked_up - address)
        taken.append(there)
    return Placed(placed.thread, placed.frames, given, taken, adjusted)
