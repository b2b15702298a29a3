"""What lookups found out about modules' unwind rules."""

from __future__ import annotations

import logging

from engine.errors import DeadlineExceeded
from engine.lookup import find_cficache, recall_cficache
from engine.lookup.model import CficacheAnswer, Features, ModuleStatus
from engine.native.images import ImageFindings, ImageIdentity, with_unwinding
from engine.run.asking import AskedOnce
from engine.run.question import Question

_MOST_JOINED = 4
_log = logging.getLogger(__name__)


class Unwound:
    """The answer of a lookup for unwind rules, and what follows from it for every request."""

    __slots__ = ("_joined", "answer")

    def __init__(self, answer: CficacheAnswer) -> None:
        self.answer = answer
        self._joined: list[tuple[ImageFindings, ImageFindings]] = []

    def joined(self, named: ImageFindings) -> ImageFindings:
        """The findings about a module's names together with these."""
        for known, joined in self._joined:
            if known is named:
                return joined
        joined = with_unwinding(named, self.answer)
        self._joined = [(named, joined), *self._joined[: _MOST_JOINED - 1]]
        return joined


def _without_file(status: ModuleStatus) -> CficacheAnswer:
    return CficacheAnswer(status, None, None, "unknown", Features(), (), 0.0)


_INTERNAL_ERROR = _without_file(ModuleStatus.OTHER)
NEVER_ASKED = Unwound(_without_file(ModuleStatus.UNUSED))
UNREADABLE_RULES = Unwound(_INTERNAL_ERROR)


class UnwoundModules(AskedOnce[Unwound]):
    """The unwind rules of modules."""

    def ask(self, question: Question, identity: ImageIdentity) -> Unwound:
        return Unwound(_look_up(question, identity))

    def recalled(self, question: Question, identity: ImageIdentity) -> Unwound | None:
        answer = recall_cficache(
            identity.wanted, question.sources, scope=question.scope, store=question.store, deadline=question.deadline
        )
        return Unwound(answer) if answer else None

    def rows(self, found: Unwound) -> int:
        return len(found.answer.candidates)

    def valid_until(self, found: Unwound) -> float:
        return found.answer.valid_until


def _look_up(question: Question, identity: ImageIdentity) -> CficacheAnswer:
    try:
        return find_cficache(
            identity.wanted, question.sources, scope=question.scope, store=question.store, deadline=question.deadline
        )
    except DeadlineExceeded:
        raise
    except Exception:  # noqa: BLE001 - a stack can be walked without the rules of one module
        _log.exception("the lookup of unwind rules failed", extra={"code_file": identity.wanted.code_file})
        return _INTERNAL_ERROR
