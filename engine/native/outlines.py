"""Stacks that came before, recognised by their JSON wherever their modules were loaded.

A module begins with a page of memory, so the last three hexadecimal digits of its addresses are the same in every
process. An outline is the JSON of a stack's frames with holes for the digits before these. A stack is one that came
before when the outline, its holes filled with the pages of the request's own modules, is its JSON byte by byte: then
nothing of it need be decoded again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import getitem, itemgetter
from typing import TypeVar

import msgspec

from engine.native.ground import PAGE, PAGE_BITS, Ground, Pages
from engine.native.wire import Frame

_ENTRY_BYTES = 1000
_FRAME_BYTES = 400
# Symbol files have addresses of 32 bits; one is kept for what lies before a module's start.
_FARTHEST = 1 << 31

_HOLE = re.compile(rb'"0x([1-9a-f][0-9a-f]{0,12})[0-9a-f]{3}"')
_DIGITS = re.compile(rb"[1-9a-f][0-9a-f]{0,12}")
# Digits that nobody sends, to see which field of which frame a hole belongs to.
_MARKS = 0xFADE << 36

FRAMES = msgspec.json.Decoder(list[Frame])

# A stretch of an outline by its index, and a page counted from its module's start.
Cell = tuple[int, int]
T = TypeVar("T")


def picker(numbers: Sequence[int]) -> Callable[[Sequence[T]], Sequence[T]]:
    """What takes these items out of a sequence, in this order."""
    if len(numbers) > 1:
        return itemgetter(*numbers)
    return lambda items: [items[number] for number in numbers]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a frame lies: in one of the stretches, at an address relative to the module; or in none, -1.

    In none, `address` is absolute. Its digits before the last three are those of a hole where it has some.
    """

    stretch: int
    address: int

    @property
    def is_loose(self) -> bool:
        """Whether its digits follow from no module's."""
        return self.stretch < 0 and self.address >= PAGE


class Outline:
    """A stack's frames as they came, but for where the modules are. `frames` are the decoded ones.

    A stretch are all frames in one module. `identities` are the keys of the modules' identities and `counts` the
    numbers of the frames, both by stretch.
    """

    __slots__ = (
        "_fill",
        "_loose",
        "_pages",
        "_parts",
        "_stretches",
        "cells",
        "counts",
        "frames",
        "has_astray",
        "identities",
        "size",
        "spots",
    )

    def __init__(self, raw: bytes, frames: list[Frame], spots: list[Spot], identities: Sequence[str]) -> None:
        """`spots` are those of the frames. All of their addresses of more than three digits are holes of `raw`."""
        self.frames = frames
        self.spots = spots
        self.identities = tuple(identities)
        self.counts = [sum(spot.stretch == each for spot in spots) for each in range(len(identities))]
        self.has_astray = any(spot.stretch < 0 for spot in spots)
        self.cells = sorted({(spot.stretch, spot.address >> PAGE_BITS) for spot in spots if spot.stretch >= 0})
        self._stretches = picker([stretch for stretch, _ in self.cells])
        self._pages = [page for _, page in self.cells]
        self._cut(raw)
        self.size = _ENTRY_BYTES + 2 * len(raw) + _FRAME_BYTES * len(frames)

    def _cut(self, raw: bytes) -> None:
        """Cut the JSON at its holes. Which text fills a hole: that of a cell, or one of the loose ones after these."""
        numbers = {cell: number for number, cell in enumerate(self.cells)}
        filled = [spot for spot in self.spots if spot.stretch >= 0 or spot.is_loose]
        self._parts: list[bytes] = []
        self._loose: list[slice] = []
        filling: list[int] = []
        last = 0
        for hole, spot in zip(_HOLE.finditer(raw), filled, strict=True):
            start, end = hole.span(1)
            self._parts += [raw[last:start], b""]
            last = end
            if spot.is_loose:
                filling.append(len(numbers) + len(self._loose))
                self._loose.append(slice(start, end))
            else:
                filling.append(numbers[spot.stretch, spot.address >> PAGE_BITS])
        self._parts.append(raw[last:])
        self._fill = picker(filling)

    @property
    def loose(self) -> int:
        """How many addresses have digits that follow from no module's."""
        return len(self._loose)

    def find(self, raw: bytes, ground: Ground) -> Recognised | None:
        """The stack whose frames have this JSON, if it is this one."""
        try:
            pages = list(map(ground.movable.__getitem__, self.identities))
            texts = list(map(getitem, self._stretches(pages), self._pages))
        except KeyError:  # a module is not there, or smaller
            return None
        loose = [raw[place] for place in self._loose]
        texts += loose
        parts = self._parts.copy()
        parts[1::2] = self._fill(texts)
        if b"".join(parts) != raw:
            return None
        found = Recognised(self, pages, texts)
        return found if not self.has_astray or found.is_astray(ground) else None


class Recognised:
    """A stack that is known by its outline.

    `pages` are those of its stretches' modules. `texts` are the digits of the outline's cells, and behind them those
    of addresses in no module.
    """

    __slots__ = ("outline", "pages", "texts")

    def __init__(self, outline: Outline, pages: list[Pages], texts: list[bytes]) -> None:
        self.outline = outline
        self.pages = pages
        self.texts = texts

    def is_astray(self, ground: Ground) -> bool:
        """Whether what lay in no module lies in none here."""
        digits = all(map(_DIGITS.fullmatch, self.texts[len(self.outline.cells) :]))
        return digits and all(map(ground.is_nowhere, self._astray()))

    def _astray(self) -> list[int]:
        """The absolute addresses that lie in no module."""
        loose = iter(self.texts[len(self.outline.cells) :])
        return [
            (int(next(loose), 16) << PAGE_BITS) | spot.address % PAGE if spot.is_loose else spot.address
            for spot in self.outline.spots
            if spot.stretch < 0
        ]

    def addresses(self, ground: Ground) -> list[int]:
        """The absolute addresses of its frames, as given."""
        starts = [ground.spans[pages.module].start for pages in self.pages]
        astray = iter(self._astray())
        return [
            starts[spot.stretch] + spot.address if spot.stretch >= 0 else next(astray) for spot in self.outline.spots
        ]


def outlined(raw: bytes, frames: list[Frame], addresses: Sequence[int], ground: Ground) -> Outline | None:
    """The outline of frames that came as `raw` and lie at these absolute addresses; None for what has none.

    The frames must be decoded from `raw`, and none may say anything about how its address is to be taken.
    """
    spots, identities = _spots(addresses, ground)
    if spots is None or not _are_holes_addresses(raw, frames):
        return None
    return Outline(raw, frames, spots, identities)


def _spots(addresses: Sequence[int], ground: Ground) -> tuple[list[Spot] | None, list[str]]:
    """Where frames lie, and the identities of the stretches; None if in a module that may not be moved."""
    stretches: dict[int, int] = {}
    spots = []
    for address in addresses:
        span = ground.find(address)
        if span is None:
            spots.append(Spot(-1, address))
            continue
        relative = address - span.start
        pages = ground.movable.get(ground.identities[span.module].key)
        if pages is None or pages.module != span.module or relative >= _FARTHEST:
            return None, []
        spots.append(Spot(stretches.setdefault(span.module, len(stretches)), relative))
    return spots, [ground.identities[module].key for module in stretches]


def _are_holes_addresses(raw: bytes, frames: list[Frame]) -> bool:
    """Whether all holes belong to addresses of frames, in their order, and all addresses that long have one.

    The digits of the holes are exchanged for others, and what is decoded then must differ in these addresses alone.
    """
    holes = [hole[1].decode() for hole in _HOLE.finditer(raw)]
    numbers = iter(range(_MARKS, _MARKS + len(holes)))
    marked = FRAMES.decode(_HOLE.sub(lambda hole: b'"0x%x%s' % (next(numbers), hole[0][-4:]), raw))
    left = iter(zip(range(_MARKS, _MARKS + len(holes)), holes, strict=True))
    for frame, other in zip(frames, marked, strict=True):
        given = frame.instruction_addr
        if isinstance(given, str) and _HOLE.fullmatch(f'"{given}"'.encode()):
            mark, digits = next(left, (0, ""))
            if other.instruction_addr != f"0x{mark:x}{given[-3:]}" or given != f"0x{digits}{given[-3:]}":
                return False
            other.instruction_addr = given
        elif _is_long(given):
            return False
    return next(left, None) is None and marked == frames


def _is_long(given: str | int) -> bool:
    return isinstance(given, int) or not re.fullmatch(r"0x[0-9a-f]{1,3}", given)
