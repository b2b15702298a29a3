"""What lookups found out about modules' names and sources."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from engine.errors import DeadlineExceeded
from engine.lookup import find_sources, find_symcache, recall_sources, recall_symcache
from engine.lookup.misses import PASSING_SECONDS
from engine.lookup.model import Features, ModuleStatus, SourceAnswer, SymcacheAnswer
from engine.native.adjust import Stepping, stepping
from engine.native.images import ImageFindings, ImageIdentity, findings
from engine.run.asking import AskedOnce
from engine.run.question import Question
from engine.run.sourced import Sourced

_log = logging.getLogger(__name__)


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


class ResolvedModules(AskedOnce[Resolved]):
    """The debug files of modules."""

    def ask(self, question: Question, identity: ImageIdentity) -> Resolved:
        return _resolved(_look_up(question, identity))

    def recalled(self, question: Question, identity: ImageIdentity) -> Resolved | None:
        answer = recall_symcache(
            identity.wanted, question.sources, scope=question.scope, store=question.store, deadline=question.deadline
        )
        return _resolved(answer) if answer else None

    def rows(self, found: Resolved) -> int:
        return len(found.answer.candidates)

    def valid_until(self, found: Resolved) -> float:
        return found.answer.valid_until


def _resolved(answer: SymcacheAnswer) -> Resolved:
    return Resolved(answer, findings(answer), stepping(answer.arch))


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


def recall_sources_of(question: Question, identity: ImageIdentity | None, resolved: Resolved) -> bool:
    """Take from the disk that a module has no sources; False where somebody has to be asked."""
    if identity is None:
        return False
    try:
        answer = recall_sources(
            identity.wanted, question.sources, scope=question.scope, store=question.store, deadline=question.deadline
        )
    except Exception:  # noqa: BLE001 - whoever asks in earnest finds out what is wrong
        return False
    if answer is not None:
        resolved.sourced = Sourced(resolved.answer, answer)
    return answer is not None


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
