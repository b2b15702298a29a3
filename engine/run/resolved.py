"""What lookups found out about modules, kept in memory as long as it holds."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event, Lock

from engine.errors import DeadlineExceeded
from engine.lookup import find_sources, find_symcache
from engine.lookup.misses import PASSING_SECONDS
from engine.lookup.model import Features, ModuleStatus, SourceAnswer, SymcacheAnswer
from engine.lookup.store import Store
from engine.native.adjust import Stepping, stepping
from engine.native.fragments import json_text
from engine.native.images import ImageFindings, ImageIdentity, findings
from engine.native.memory import TwoGenerations
from engine.outgoing import Deadline
from engine.run.sourced import Sourced
from engine.sourcetypes.base import Source

_MODULES = 20_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """Where modules are looked up: the sources in order, and the scope of what they fetch."""

    sources: Sequence[Source]
    scope: str
    store: Store
    deadline: Deadline

    @property
    def key(self) -> str:
        """Tells scopes and sources apart, credentials included, and what is known from before a purge from after."""
        keys = [source.cache_key for source in self.sources]
        return json_text([self.scope, self.store.purges.token(keys), *keys])


@dataclass(slots=True)
class Resolved:
    """A lookup's answer, and what follows from it for every request.

    `sourced` is what is known about the module's sources, None as long as nobody asked.
    """

    answer: SymcacheAnswer
    findings: ImageFindings
    cpu: Stepping
    sourced: Sourced | None = None

    def sourced_at(self, now: float) -> Sourced | None:
        """What is known about the sources and still holds at `now`, in seconds since the epoch."""
        sourced = self.sourced
        return sourced if sourced is not None and sourced.answer.valid_until > now else None

    @property
    def failure(self) -> str | None:
        """The status of frames in the module when there is no symcache."""
        if self.answer.identity is not None:
            return None
        return "malformed" if self.answer.status is ModuleStatus.MALFORMED else "missing"


_INTERNAL_ERROR = SymcacheAnswer(ModuleStatus.OTHER, None, None, "unknown", Features(), (), 0.0)
UNREADABLE = Resolved(_INTERNAL_ERROR, findings(_INTERNAL_ERROR), stepping(_INTERNAL_ERROR.arch))


class _Flight:
    """A lookup that is under way; `result` is set when it ended well."""

    __slots__ = ("done", "result")

    def __init__(self) -> None:
        self.done = Event()
        self.result: Resolved | None = None


class ResolvedModules:
    """Asks the lookup once for each module, however many requests want it, and remembers the answer."""

    def __init__(self) -> None:
        self._known: TwoGenerations[tuple[str, str], Resolved] = TwoGenerations(_MODULES)
        self._flights: dict[tuple[str, str], _Flight] = {}
        self._lock = Lock()

    def known(self, question_key: str, identity: ImageIdentity, now: float) -> Resolved | None:
        """What is remembered and still holds at `now`, in seconds since the epoch."""
        found = self._known.get((question_key, identity.key))
        return found if found is not None and found.answer.valid_until > now else None

    def forget(self, question_key: str, identity: ImageIdentity) -> None:
        self._known.drop((question_key, identity.key))

    def resolve(self, question: Question, question_key: str, identity: ImageIdentity) -> Resolved:
        """Look a module up, or wait for whoever is doing so. Raises DeadlineExceeded, and nothing else."""
        key = (question_key, identity.key)
        while True:
            with self._lock:
                flight = self._flights.get(key)
                if flight is None:
                    mine = self._flights[key] = _Flight()
                    break
            _wait(flight, question.deadline)
            if flight.result is not None:
                return flight.result
        return self._lead(mine, key, question, identity)

    def _lead(self, flight: _Flight, key: tuple[str, str], question: Question, identity: ImageIdentity) -> Resolved:
        try:
            known = self.known(key[0], identity, time.time())
            flight.result = known if known is not None else self._ask(key, question, identity)
            return flight.result
        finally:
            with self._lock:
                del self._flights[key]
            flight.done.set()

    def _ask(self, key: tuple[str, str], question: Question, identity: ImageIdentity) -> Resolved:
        answer = _look_up(question, identity)
        resolved = Resolved(answer, findings(answer), stepping(answer.arch))
        if answer is not _INTERNAL_ERROR:
            self._known.put(key, resolved, 1)
        return resolved


def _look_up(question: Question, identity: ImageIdentity) -> SymcacheAnswer:
    try:
        return find_symcache(
            identity.wanted, question.sources, scope=question.scope, store=question.store, deadline=question.deadline
        )
    except DeadlineExceeded:
        raise
    except Exception:  # noqa: BLE001 - whatever goes wrong with one module must not take the others with it
        _log.exception("the lookup of a module failed", extra={"debug_file": identity.wanted.debug_file})
        return _INTERNAL_ERROR


def resolve_sources(question: Question, identity: ImageIdentity, resolved: Resolved) -> None:
    """Look for a module's sources. Raises DeadlineExceeded, and nothing else."""
    try:
        answer = find_sources(
            identity.wanted,
            question.sources,
            scope=question.scope,
            store=question.store,
            deadline=question.deadline,
            names=resolved.answer,
        )
    except DeadlineExceeded:
        raise
    except Exception:  # noqa: BLE001 - names are worth having without what stands around their lines
        _log.exception("the lookup of sources failed", extra={"debug_file": identity.wanted.debug_file})
        answer = SourceAnswer(None, (), time.time() + PASSING_SECONDS)
    resolved.sourced = Sourced(resolved.answer, answer)


def _wait(flight: _Flight, deadline: Deadline) -> None:
    while not flight.done.wait(min(deadline.remaining(), 3600)):
        deadline.check()
