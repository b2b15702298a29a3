"""One request on its way through the engine."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from engine.lookup.crew import run_all
from engine.lookup.model import Candidate, CficacheAnswer, SymcacheAnswer
from engine.modules import Wanted
from engine.native.frames import Writer
from engine.native.ground import Ground
from engine.native.images import UNUSED, ImageFindings, ImageIdentity
from engine.native.managed import ManagedTable
from engine.native.places import NOWHERE, Placed, Places, Seat, adjust
from engine.native.stencils import Standing
from engine.native.wire import Thread
from engine.outgoing import Trust
from engine.run.asked import Asked, stack_head
from engine.run.filling import Around, SourcesGone, Unreadable, fill
from engine.run.question import Question
from engine.run.remembered import Remembered
from engine.run.resolved import UNREADABLE, Resolved, recall_sources_of, resolve_sources
from engine.run.sourced import Sourced, door_of, follower
from engine.run.unwound import NEVER_ASKED

_MOST_FILLS = 5
_UNKNOWN_ARCH = "unknown"
_log = logging.getLogger(__name__)
# What is put into the JSON of a used module, at its end: of its key, itself, what the lookup found (None without frames
# in it), whether every candidate is asked for, and what the lookup for unwind rules found (None when none was made).
Annotate = Callable[[str, Wanted, SymcacheAnswer | None, bool, CficacheAnswer | None], str]


class Job:
    """One request on its way through the engine."""

    def __init__(
        self,
        engine: Remembered,
        asked: Asked,
        question: Question,
        annotate: Annotate | None,
        trust: Trust,
    ) -> None:
        self.engine = engine
        self.annotate = annotate
        self.asked = asked
        self.request = request = asked.request
        self.question = question
        self.identities = asked.identities
        ground = request.ground or Ground(request.modules, request.image_addrs, self.identities)
        self.places = Places(ground)
        self.unready: dict[int, Standing] = {}
        self.reverse = request.options.frame_order == "caller_first"
        self.stacks: list[Placed | Standing] = [
            self._place(thread) if thread.known is None or self.reverse else Standing(thread, thread.known, self.places)
            for thread in request.stacktraces
        ]
        self.resolved: dict[int, Resolved] = {}
        self.sourced: dict[int, Sourced | None] = {}
        self.now = time.time()
        # The first that is known of a module, once these are written.
        self.arch = _UNKNOWN_ARCH
        self.with_context = request.options.apply_source_context is not False
        self.door = door_of(request.scraping, trust)
        self.writer = Writer(engine.fragments, engine.demangler, reverse=self.reverse)

    def run(self) -> bytes:
        self._resolve_touched()
        for stack in self.stacks:
            if isinstance(stack, Placed):
                self._adjust(stack)
        stacks = self._write_filled()
        if self.with_context and self._find_sources():
            stacks = self._write_filled()
        if self.unready:
            self._learn(stacks)
        images = ",".join(self._images())
        head, end = self.asked.head(self.arch), self.asked.end
        parts = [f'{{"status":"completed",{head}"stacktraces":['.encode()]
        for at, frames in enumerate(stacks):
            start = "," if at else ""
            parts.append(f'{start}{{{stack_head(self.request.stacktraces[at])}"frames":['.encode())
            parts += (frames, f"]{self.asked.stack_ends.get(at, '')}}}".encode())
        parts.append(f'],"modules":[{images}]{end}}}'.encode())
        return b"".join(parts)

    def _place(self, thread: Thread) -> Placed:
        return self.places.place(thread, reverse=self.reverse)

    def _adjust(self, placed: Placed) -> None:
        adjust(placed, self.request.signal, masked=any(seat.masked for seat in self.places.seats))

    def _touched(self) -> list[Seat]:
        """The seats that frames lie in."""
        touched = {seat.index for stack in self.stacks for seat in set(stack.seats)} - {NOWHERE.index}
        return [self.places.seats[index] for index in sorted(touched)]

    def _resolve_touched(self) -> None:
        cold = []
        touched = self._touched()
        self.question.learn(seat.identity for seat in touched)
        for seat in touched:
            known = self.engine.modules.at_hand(self.question, seat.identity, self.now)
            if known is None:
                cold.append(seat)
            else:
                self._settle(seat, known)
        if cold:
            self._resolve(cold)

    def _resolve(self, seats: Iterable[Seat]) -> None:
        """Look modules up, side by side."""
        self.question.deadline.check()
        run_all([partial(self._resolve_one, seat) for seat in seats], self.question.deadline)

    def _resolve_one(self, seat: Seat) -> None:
        if seat.identity is not None:
            self._settle(seat, self.engine.modules.resolve(self.question, seat.identity))

    def _settle(self, seat: Seat, resolved: Resolved) -> None:
        self.resolved[seat.index] = resolved
        identity = resolved.answer.identity
        if identity is None:
            seat.fail(resolved.failure or "missing")
            return
        table = identity
        if self.with_context:
            sourced = self.sourced[seat.index] = resolved.sourced_at(self.now)
            if sourced is not None and sourced.object is not None:
                table = sourced.table(sourced.object, self.door, self.now)
        if resolved.answer.managed:
            seat.use_managed(ManagedTable(table, self.engine.managed_lines))
        else:
            seat.use_symcache(table, resolved.cpu, self.engine.fragments)

    def _find_sources(self) -> bool:
        """Look for the sources of modules with symbolicated frames, where nobody has yet; whether any were found."""
        unknown = [self.places.seats[index] for index, sourced in self.sourced.items() if sourced is None]
        cold = [seat for seat in unknown if seat.failure is None and self._has_names(seat)]
        asked = [
            seat for seat in cold if not recall_sources_of(self.question, seat.identity, self.resolved[seat.index])
        ]
        if asked:
            self.question.deadline.check()
            run_all([partial(self._find_sources_of, seat) for seat in asked], self.question.deadline)
        for seat in cold:
            self._settle(seat, self.resolved[seat.index])
        return any(sourced.object for seat in cold if (sourced := self.sourced[seat.index]))

    def _find_sources_of(self, seat: Seat) -> None:
        if seat.identity is not None:
            resolve_sources(self.question, seat.identity, self.resolved[seat.index])

    def _has_names(self, seat: Seat) -> bool:
        """Whether any frame of the module was symbolicated, once all is written."""
        return seat.is_clean or seat.all_fruitless < self._count(seat)

    def _count(self, seat: Seat) -> int:
        """How many frames lie in a module."""
        both = (seat, seat.shadow) if seat.shadow else (seat,)
        return sum(stack.count(each) for stack in self.stacks for each in both)

    def _write_filled(self) -> list[bytes]:
        """The stacks, once nothing is lacking. Files that vanish meanwhile make it lack something else."""
        stacks = self._write_stacks()
        for _ in range(_MOST_FILLS):
            if not any(seat.is_lacking for seat in self.places.seats):
                break
            self._fill()
            stacks = self._write_stacks()
        return stacks

    def _write_stacks(self) -> list[bytes]:
        for seat in self.places.seats:
            seat.forget_counts()
        written = self._write_ready()
        return [written[at] if at in written else self._write_other(at, stack) for at, stack in enumerate(self.stacks)]

    def _write_ready(self) -> dict[int, bytes]:
        """The frames of recognised stacks that something is ready for, by their index."""
        written, signal, stencils = {}, self.request.signal, self.engine.stencils
        with self.engine.gate:
            for at, stack in enumerate(self.stacks):
                ready = stencils.get(stack.key(signal)) if isinstance(stack, Standing) else None
                if ready is not None and isinstance(stack, Standing):
                    written[at] = ready.write(stack)
        return written

    def _write_other(self, at: int, stack: Placed | Standing) -> bytes:
        if isinstance(stack, Standing):
            self.unready[at] = stack
            self.stacks[at] = stack = self._place(stack.thread)
            self._adjust(stack)
        return self._write_placed(stack)

    def _write_placed(self, placed: Placed) -> bytes:
        with self.engine.gate:
            return self.writer.write(placed).encode()

    def _learn(self, written: list[bytes]) -> None:
        """Remember the frames of stacks that were recognised, and that nothing was ready for."""
        for at, standing in self.unready.items():
            placed = self.stacks[at]
            if isinstance(placed, Placed):
                with self.engine.gate:
                    self.engine.stencils.learn(standing, self.request.signal, placed, written[at], self.writer)

    def _fill(self) -> None:
        """Look up what seats lack, module by module."""
        for seat in self.places.seats:
            if seat.is_lacking:
                self.question.deadline.check()
                self._fill_seat(seat)

    def _fill_seat(self, seat: Seat) -> None:
        try:
            fill(seat, self.resolved[seat.index].answer, self._around(seat), self.engine.readers)
        except Unreadable:
            self._retry(seat)
        except SourcesGone:
            _log.warning("a file with sources is gone", extra={"identity": seat.symcache})
            self._find_sources_of(seat)
            self._settle(seat, self.resolved[seat.index])

    def _retry(self, seat: Seat) -> None:
        """The file is gone or unreadable since it was found: find it once more."""
        if seat.identity is not None:
            self.engine.modules.forget(self.question, seat.identity)
        self._resolve_one(seat)
        try:
            if seat.failure is None:
                fill(seat, self.resolved[seat.index].answer, self._around(seat), self.engine.readers)
        except (Unreadable, SourcesGone):
            _log.exception("a debug file cannot be read", extra={"identity": seat.symcache})
            seat.fail("missing")
            self.resolved[seat.index] = UNREADABLE

    def _around(self, seat: Seat) -> Around | None:
        """The sources of a module, if it has any and they are asked for."""
        sourced = self.sourced.get(seat.index)
        if sourced is None or sourced.object is None:
            return None
        found = sourced.object
        follow = follower(found.labels, self.door, self.engine.store, self.question.deadline)
        return Around(sourced, self.door, lambda places: self.engine.contexts.annotate(found, places, follow))

    def _images(self) -> Iterator[str]:
        candidates = bool(self.request.options.dif_candidates)
        for seat, module, identity in zip(self.places.seats, self.request.modules, self.identities, strict=True):
            resolved = self.resolved.get(seat.index)
            known = UNUSED if resolved is None else self._findings(seat, resolved)
            if self.asked.unwound is not None:
                known = self.asked.unwound.get(seat.index, NEVER_ASKED).joined(known)
            if self.arch == _UNKNOWN_ARCH:
                self.arch = known.known.arch
            deserted = self._is_deserted(seat)
            head = known.unused_head if deserted else known.head
            size = seat.span.size or module.image_size
            end = "" if size is None else f',"image_size":{size}'
            rows = known.candidates if candidates else ""
            rows += self._annotation(seat, identity, None if deserted else resolved)
            yield f'{head}{identity.description},"image_addr":"{hex(seat.address)}"{end}{rows}}}'

    def _annotation(self, seat: Seat, identity: ImageIdentity, resolved: Resolved | None) -> str:
        """What there is to say about a module that has frames or that stacks were unwound through."""
        unwound = self.asked.unwound.get(seat.index) if self.asked.unwound else None
        if self.annotate is None or (resolved is None and unwound is None):
            return ""
        names, rules = resolved.answer if resolved else None, unwound.answer if unwound else None
        everything = bool(self.request.options.dif_candidates)
        return self.annotate(identity.key, identity.wanted, names, everything, rules)

    def _findings(self, seat: Seat, resolved: Resolved) -> ImageFindings:
        """What the answer says about a module's files, with its sources where they were asked for."""
        sourced = self.sourced.get(seat.index)
        if sourced is None or not self._has_names(seat):
            return resolved.findings
        if not self.request.options.dif_candidates or sourced.object is None or not sourced.object.linked:
            return sourced.findings
        return sourced.joined(resolved.answer, {row.location: row for row in self._links(seat)})

    def _links(self, seat: Seat) -> Iterator[Candidate]:
        """The links that were followed for the frames of a module; stacks that something was ready for have none."""
        for placed in self.stacks:
            if isinstance(placed, Placed):
                for index, here in enumerate(placed.seats):
                    if here.index == seat.index:
                        yield from self.writer.candidates(placed, index)

    def _is_deserted(self, seat: Seat) -> bool:
        """Whether all frames of a module were dropped; without source context nobody looks for that."""
        return not seat.is_clean and self.with_context and 0 < seat.all_dropped == self._count(seat)
