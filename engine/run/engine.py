"""Symbolication of native stacks, from a decoded request to the JSON of the answer."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from engine.lookup.model import SymcacheAnswer
from engine.lookup.store import Store
from engine.modules import Wanted
from engine.native.demangle import Demangler
from engine.native.fragments import NO_SYMBOL, Fragment, FragmentCache, json_text, sorted_json
from engine.native.frames import Writer
from engine.native.gate import Gate
from engine.native.images import UNUSED, ImageIdentities
from engine.native.places import NOWHERE, Placed, Places, Seat, adjust
from engine.native.symcache import OpenSymcaches, SymcacheError
from engine.native.wire import SymbolicateRequest, Thread
from engine.outgoing import Deadline
from engine.run.resolved import UNREADABLE, Question, Resolved, ResolvedModules
from engine.run.workers import Workers
from engine.sourcetypes.base import Source

# Addresses that are looked up before others get their turn at the gate.
_BATCH = 500
_log = logging.getLogger(__name__)
# What is put into the JSON of a used module, at its end: of its key, itself, what the lookup found, and whether every
# candidate is asked for.
Annotate = Callable[[str, Wanted, SymcacheAnswer, bool], str]


class Engine:
    """The engine of one process, with everything it remembers. Safe to use from several threads."""

    def __init__(self, store: Store, gate: Gate) -> None:
        self.store = store
        self.gate = gate
        self.workers = Workers()
        self.modules = ResolvedModules()
        self.identities = ImageIdentities()
        self.fragments = FragmentCache()
        self.demangler = Demangler()
        self.symcaches = OpenSymcaches()

    def symbolicate(
        self,
        request: SymbolicateRequest,
        sources: Sequence[Source],
        *,
        scope: str,
        deadline: Deadline,
        annotate: Annotate | None = None,
    ) -> bytes:
        """The JSON of a `completed` answer. Raises DeadlineExceeded; any other failure shows in statuses."""
        return _Job(self, request, Question(sources, scope, self.store, deadline), annotate).run()


class _Job:
    """One request on its way through the engine."""

    def __init__(
        self, engine: Engine, request: SymbolicateRequest, question: Question, annotate: Annotate | None
    ) -> None:
        self.engine = engine
        self.annotate = annotate
        self.request = request
        self.question = question
        self.question_key = question.key
        self.identities = [engine.identities.get(module) for module in request.modules]
        self.places = Places(request.modules, request.image_addrs, self.identities)
        self.placed = self.places.place(request)
        self.resolved: dict[int, Resolved] = {}
        self.writer = Writer(engine.fragments, engine.demangler, reverse=request.options.frame_order == "caller_first")

    def run(self) -> bytes:
        self._resolve_touched()
        masked = any(seat.masked for seat in self.places.seats)
        for placed in self.placed:
            adjust(placed, self.request.signal, masked=masked)
        stacks = self._write_stacks()
        if any(seat.lacking for seat in self.places.seats):
            self._fill()
            stacks = self._write_stacks()
        signal = "" if self.request.signal is None else f'"signal":{self.request.signal},'
        images = ",".join(self._images())
        return f'{{"status":"completed",{signal}"stacktraces":[{",".join(stacks)}],"modules":[{images}]}}'.encode()

    def _touched(self) -> list[Seat]:
        """The seats that frames lie in."""
        touched = {seat.index for placed in self.placed for seat in set(placed.seats)} - {NOWHERE.index}
        return [self.places.seats[index] for index in sorted(touched)]

    def _resolve_touched(self) -> None:
        now = time.time()
        cold = []
        for seat in self._touched():
            identity = seat.identity
            known = None if identity is None else self.engine.modules.known(self.question_key, identity, now)
            if known is None:
                cold.append(seat)
            else:
                self._settle(seat, known)
        if cold:
            self._resolve(cold)

    def _resolve(self, seats: Iterable[Seat]) -> None:
        """Look modules up, side by side."""
        self.question.deadline.check()
        self.engine.workers.run([partial(self._resolve_one, seat) for seat in seats], self.question.deadline)

    def _resolve_one(self, seat: Seat) -> None:
        if seat.identity is not None:
            self._settle(seat, self.engine.modules.resolve(self.question, self.question_key, seat.identity))

    def _settle(self, seat: Seat, resolved: Resolved) -> None:
        self.resolved[seat.index] = resolved
        identity = resolved.answer.identity
        if identity is None:
            seat.fail(resolved.failure or "missing")
        else:
            seat.use_symcache(identity, resolved.cpu, self.engine.fragments)

    def _write_stacks(self) -> list[str]:
        for seat in self.places.seats:
            seat.forget_dropped()
        return [self._write_stack(placed) for placed in self.placed]

    def _write_stack(self, placed: Placed) -> str:
        with self.engine.gate:
            frames = self.writer.write(placed)
        return f'{{{_stack_head(placed.thread)}"frames":[{frames}]}}'

    def _fill(self) -> None:
        """Look up what seats lack, module by module."""
        for seat in self.places.seats:
            if seat.lacking:
                self.question.deadline.check()
                self._fill_seat(seat)

    def _fill_seat(self, seat: Seat) -> None:
        try:
            self._look_up(seat)
        except SymcacheError:
            self._retry(seat)

    def _retry(self, seat: Seat) -> None:
        """The file is gone or unreadable since it was found: find it once more."""
        if seat.identity is not None:
            self.engine.modules.forget(self.question_key, seat.identity)
        self._resolve_one(seat)
        try:
            if seat.symcache is not None:
                self._look_up(seat)
        except SymcacheError:
            _log.exception("a symcache cannot be read", extra={"identity": seat.symcache})
            seat.fail("missing")
            self.resolved[seat.index] = UNREADABLE

    def _look_up(self, seat: Seat) -> None:
        answer = self.resolved[seat.index].answer
        if answer.identity is None or answer.path is None:
            return
        symcache = self.engine.symcaches.get(answer.identity, answer.path)
        for batch in _batches(seat.lacking):
            with self.engine.gate:
                found = symcache.lookup(batch)
                made = [
                    (at, Fragment(here, self.engine.demangler) if here else NO_SYMBOL) for at, here in found.items()
                ]
                self.engine.fragments.add(seat.fragments, made)
        seat.lacking.clear()

    def _images(self) -> Iterator[str]:
        unused = self._deserted()
        candidates = bool(self.request.options.dif_candidates)
        for seat, module, identity in zip(self.places.seats, self.request.modules, self.identities, strict=True):
            resolved = self.resolved.get(seat.index)
            known = UNUSED if resolved is None else resolved.findings
            head = known.unused_head if seat.index in unused else known.head
            size = seat.span.size or module.image_size
            end = "" if size is None else f',"image_size":{size}'
            rows = known.candidates if candidates else ""
            if self.annotate and resolved and seat.index not in unused:
                rows += self.annotate(identity.key, identity.wanted, resolved.answer, candidates)
            yield f'{head}{identity.description},"image_addr":"{hex(seat.address)}"{end}{rows}}}'

    def _deserted(self) -> set[int]:
        """The modules all of whose frames were dropped; without source context nobody looks for them."""
        dropped: Counter[int] = Counter()
        for seat in self.places.seats:
            dropped[seat.index] += seat.all_dropped
        if not any(dropped.values()) or self.request.options.apply_source_context is False:
            return set()
        lying = Counter(seat.index for placed in self.placed for seat in placed.seats)
        return {index for index, count in dropped.items() if count and count == lying[index]}


def _batches(addresses: Iterable[int]) -> Iterator[list[int]]:
    ordered = sorted(addresses)
    for start in range(0, len(ordered), _BATCH):
        yield ordered[start : start + _BATCH]


def _stack_head(thread: Thread) -> str:
    """The JSON of a stack's own fields, up to its frames."""
    thread_id = "" if thread.thread_id is None else f'"thread_id":{thread.thread_id},'
    name = "" if thread.thread_name is None else f'"thread_name":{json_text(thread.thread_name)},'
    asking = "" if thread.is_requesting is None else f'"is_requesting":{json_text(thread.is_requesting)},'
    registers = f'"registers":{sorted_json(thread.registers)},' if thread.registers else ""
    return thread_id + name + asking + registers
