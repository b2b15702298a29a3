"""Which module each frame lies in, and which address of it to look up."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import attrgetter, sub

from engine.modules import AddressMap, Span, fill_sizes
from engine.native.adjust import UNKNOWN, StackFacts, Stepping, aligned, first_frame, previous
from engine.native.fragments import NO_SYMBOL, Fragment, FragmentCache
from engine.native.images import NO_PACKAGE, ImageIdentity
from engine.native.managed import ManagedTable
from engine.native.wire import Frame, Module, SymbolicateRequest, Thread


class Seat:
    """One module within one request: where it lies, what is known about it, and what its frames still lack.

    `failure` is the status of every frame in it when there is no symcache. `address` is absolute; 0 means that the
    module has no absolute addresses: absolute frames that land in it sit in its `shadow`, where no symbol is ever
    found. Of a frame without a module, the seat is NOWHERE. `managed` has the lines of a .NET module.
    """

    __slots__ = (
        "address",
        "cpu",
        "dropped",
        "failed",
        "failure",
        "fragments",
        "identity",
        "index",
        "lacking",
        "managed",
        "masked",
        "package",
        "shadow",
        "span",
        "step",
        "symcache",
    )

    def __init__(self, index: int, identity: ImageIdentity | None, span: Span) -> None:
        self.index = index
        self.identity = identity
        self.span = span
        self.address = span.start
        self.package = identity.package if identity else NO_PACKAGE
        self.cpu = UNKNOWN
        self.step = UNKNOWN.step
        self.masked = False
        self.fragments: dict[int, Fragment] = {}
        self.symcache: str | None = None
        self.failure: str | None = "missing"
        self.lacking: set[int] = set()
        self.dropped = 0
        self.failed = 0
        self.managed: ManagedTable | None = None
        self.shadow: Seat | None = None

    def cast_shadow(self) -> Seat:
        """The seat of absolute frames in a module without absolute addresses."""
        self.shadow = Seat(self.index, self.identity, self.span)
        return self.shadow

    def fail(self, status: str) -> None:
        """Answer all frames in the module with `status`."""
        self.symcache, self.failure, self.fragments, self.managed = None, status, {}, None
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
        if self.shadow is not None:
            self.shadow.managed = table
            self.shadow.failure = None

    def use_symcache(self, symcache: str, cpu: Stepping, cache: FragmentCache) -> None:
        """Look frames up in the symcache with this content from now on, or in one with these sources beside it."""
        self.symcache = symcache
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


class Places:
    """The modules of a request, and its stacks placed into them."""

    def __init__(
        self, modules: Sequence[Module], addresses: Sequence[int], identities: Sequence[ImageIdentity]
    ) -> None:
        spans = fill_sizes(
            [
                Span(at, start, module.image_size or 0)
                for at, (start, module) in enumerate(zip(addresses, modules, strict=True))
            ]
        )
        self.seats = [Seat(span.module, identity, span) for span, identity in zip(spans, identities, strict=True)]
        lookup = AddressMap(spans)
        self._bounds = lookup.bounds
        self._owners = [self._owner(span) for span in lookup.owners]

    def _owner(self, span: Span | None) -> Seat:
        if span is None:
            return NOWHERE
        seat = self.seats[span.module]
        return seat if span.start else seat.cast_shadow()

    def place(self, request: SymbolicateRequest) -> list[Placed]:
        """Every stack of the request, in its order."""
        reverse = request.options.frame_order == "caller_first"
        return [self._place(thread, reverse=reverse) for thread in request.stacktraces]

    def _place(self, thread: Thread, *, reverse: bool) -> Placed:
        frames, given = thread.frames, thread.addresses
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
