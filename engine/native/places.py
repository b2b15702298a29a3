"""Which module each frame lies in, and which address of it to look up."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import repeat
from operator import attrgetter, sub

from engine.modules import Span
from engine.native.adjust import (
    CRASH_SIGNALS,
    IP_REGISTERS,
    UNKNOWN,
    StackFacts,
    Stepping,
    aligned,
    first_frame,
    previous,
)
from engine.native.fragments import NO_SYMBOL, Fragment, FragmentCache
from engine.native.ground import Ground
from engine.native.images import NO_PACKAGE, ImageIdentity
from engine.native.managed import ManagedTable
from engine.native.wire import Frame, Thread

NO_FRAGMENTS: dict[int, Fragment] = {}
# Of each register that may tell where a thread stands, whether it is the first address; empty where nobody asks.
FirstKind = tuple[bool | None, ...]


class Seat:
    """One module within one request: where it lies, what is known about it, and what its frames still lack.

    `failure` is the status of every frame in it when there is no symcache. `address` is absolute; 0 means that the
    module has no absolute addresses: absolute frames that land in it sit in its `shadow`, where no symbol is ever
    found. Of a frame without a module, the seat is NOWHERE. `managed` has the lines of a .NET module. `state` tells
    apart what may be known of a module: all frames at one relative address are answered alike in one state.
    """

    # What most of a request's modules never get, or what they get later, is not written into each.
    cpu = UNKNOWN
    dropped = failed = 0
    failure: str | None = "missing"
    fragments: dict[int, Fragment] = NO_FRAGMENTS
    managed: ManagedTable | None = None
    masked = False
    shadow: Seat | None = None
    state = "!missing"
    step = UNKNOWN.step
    symcache: str | None = None

    def __init__(self, index: int, identity: ImageIdentity | None, span: Span) -> None:
        self.index = index
        self.identity = identity
        self.span = span
        self.address = span.start
        self.package = identity.package if identity else NO_PACKAGE
        self.lacking: set[int] = set()

    def cast_shadow(self) -> Seat:
        """The seat of absolute frames in a module without absolute addresses."""
        self.shadow = Seat(self.index, self.identity, self.span)
        return self.shadow

    def fail(self, status: str) -> None:
        """Answer all frames in the module with `status`."""
        self.symcache, self.failure, self.fragments, self.managed = None, status, NO_FRAGMENTS, None
        self.state = f"!{status}"
        self.lacking.clear()
        if self.shadow is not None:
            self.shadow.failure, self.shadow.managed = status, None

    @property
    def all_dropped(self) -> int:
        """How many frames of the module were left out of the answer."""
        return self.dropped + (self.shadow.dropped if self.shadow else 0)

    @property
    def is_clean(self) -> bool:
        """Whether surely every frame of the module was symbolicated."""
        return not (self.failed or self.dropped or self.shadow)

    @property
    def all_fruitless(self) -> int:
        """How many frames of the module were not symbolicated, left out or not."""
        return self.all_dropped + self.failed + (self.shadow.failed if self.shadow else 0)

    @property
    def is_lacking(self) -> bool:
        """Whether something has to be looked up before all frames can be written."""
        return bool(self.lacking) or (self.managed is not None and bool(self.managed.lacking))

    def forget_counts(self) -> None:
        """Start counting anew, as stacks are written once more."""
        self.dropped = self.failed = 0
        if self.shadow is not None:
            self.shadow.dropped = self.shadow.failed = 0

    def use_managed(self, table: ManagedTable) -> None:
        """Look frames up by their methods from now on."""
        self.managed = table
        self.failure = None
        self.state = "!managed"
        if self.shadow is not None:
            self.shadow.managed = table
            self.shadow.failure = None

    def use_symcache(self, symcache: str, cpu: Stepping, cache: FragmentCache) -> None:
        """Look frames up in the symcache with this content from now on, or in one with these sources beside it."""
        self.symcache = self.state = symcache
        self.cpu = cpu
        self.step = cpu.step
        self.masked = cpu.mask != -1
        self.fragments = cache.table(symcache)
        self.failure = None
        if self.shadow is not None:
            self.shadow.failure = "missing_symbol"

    def recall(self, relative: int, cache: FragmentCache) -> Fragment | None:
        """The fragment at a relative address that is not in the table; None notes it down as lacking."""
        if relative < 0 or self.symcache is None:
            return NO_SYMBOL
        found = cache.recall(self.symcache, self.fragments, relative)
        if found is None:
            self.lacking.add(relative)
        return found


_STEP = attrgetter("step")


def _nowhere() -> Seat:
    seat = Seat(-1, None, Span(-1, 0, 0))
    seat.failure = "unknown_image"
    return seat


NOWHERE = _nowhere()


@dataclass(slots=True)
class Placed:
    """A stack whose frames know their modules.

    `given` has absolute addresses where the module has them; `adjusted` the ones to look up, filled in once the CPUs
    are known. Frames are callee first, whatever the request's order.
    """

    thread: Thread
    frames: list[Frame]
    given: list[int]
    seats: list[Seat]
    adjusted: list[int]

    def count(self, seat: Seat) -> int:
        """How many frames lie in a seat."""
        return self.seats.count(seat)


class Places:
    """The modules of a request, and its stacks placed into them."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.seats = [
            Seat(span.module, identity, span) for span, identity in zip(ground.spans, ground.identities, strict=True)
        ]
        self._bounds = ground.bounds
        self._owners = [self._owner(span) for span in ground.owners]

    def _owner(self, span: Span | None) -> Seat:
        if span is None:
            return NOWHERE
        seat = self.seats[span.module]
        return seat if span.start else seat.cast_shadow()

    def place(self, thread: Thread, *, reverse: bool) -> Placed:
        """A stack; `reverse` if its outermost frame comes first."""
        frames = thread.frames
        given = thread.addresses if thread.known is None else thread.known.addresses(self.ground)
        if reverse:
            frames, given = frames[::-1], given[::-1]
        owners = self._owners
        seats = list(map(owners.__getitem__, map(bisect_right, repeat(self._bounds), given)))
        if not thread.plain:
            given = list(given)
            self._place_relative(frames, given, seats)
        return Placed(thread, frames, given, seats, given)

    def _place_relative(self, frames: list[Frame], given: list[int], seats: list[Seat]) -> None:
        """Frames of addr_mode `rel:N` lie in module N whatever its range; without such a module, nowhere."""
        for at, frame in enumerate(frames):
            index = frame.module_index
            if index is None:
                continue
            seats[at] = self.seats[index] if index < len(self.seats) else NOWHERE
            given[at] += seats[at].address


def adjust(placed: Placed, signal: int | None, *, masked: bool) -> None:
    """Fill in the addresses to look up, once every seat knows its CPU; `masked` if any of them aligns instructions."""
    if not placed.given:
        return
    if placed.thread.plain:
        placed.adjusted = _all_previous(placed, masked)
        placed.adjusted[0] = _first(placed, signal)
    else:
        placed.adjusted = _adjust_each(placed, signal)


def _all_previous(placed: Placed, masked: bool) -> list[int]:
    if masked:
        return [previous(address, seat.cpu) for address, seat in zip(placed.given, placed.seats, strict=True)]
    return list(map(sub, placed.given, map(_STEP, placed.seats)))


def first_kind(thread: Thread, ground: Ground, signal: int | None) -> FirstKind:
    """What decides how the first address of a recognised stack is taken, besides its CPU."""
    if signal not in CRASH_SIGNALS or thread.known is None:
        return ()
    address = thread.known.addresses(ground)[0]
    values = [thread.registers.get(name) for name in IP_REGISTERS]
    return tuple(None if value is None else int(value, 16) == address for value in values)


def _first(placed: Placed, signal: int | None) -> int:
    registers = {name: int(value, 16) for name, value in placed.thread.registers.items()} if signal else {}
    return first_frame(placed.given[0], placed.seats[0].cpu, StackFacts(signal, registers))


def _adjust_each(placed: Placed, signal: int | None) -> list[int]:
    """The way for stacks in which some frame says how its address is to be taken."""
    told = any(frame.adjust_instruction_addr is not None for frame in placed.frames)
    adjusted = []
    for index, (frame, address, seat) in enumerate(zip(placed.frames, placed.given, placed.seats, strict=True)):
        if not seat.address:
            adjusted.append(address)
        elif frame.adjust_instruction_addr is False:
            adjusted.append(aligned(address, seat.cpu))
        elif index or told:
            adjusted.append(previous(address, seat.cpu))
        else:
            adjusted.append(_first(placed, signal))
    return adjusted
