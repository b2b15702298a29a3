"""What the walks of one dump know of its modules: unwind rules, and whether symbols have something at an address."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Literal

from engine.errors import LookupFailure
from engine.formats.bytewise import FormatError
from engine.lookup.crew import run_all
from engine.native.images import ImageIdentity
from engine.native.symcache import OpenSymcache, SymcacheError
from engine.run.question import Question
from engine.run.remembered import Remembered
from engine.run.unwound import UNREADABLE_RULES, Unwound
from engine.unwind import MISSING_YET, ModuleRules, Need
from engine.unwind.model import Pending

_log = logging.getLogger(__name__)
_UNREADABLE = (FormatError, OSError, LookupFailure)


class RuleBook:
    """The book of one dump's walks. Modules are named by their index in `identities`.

    What the process remembers is taken from there at once; everything else has to be supplied. `unwound` is what was
    found out about the modules whose rules were asked for.
    """

    def __init__(self, engine: Remembered, question: Question, identities: Sequence[ImageIdentity]) -> None:
        self.unwound: dict[int, Unwound] = {}
        self._engine = engine
        self._question = question
        self._now = time.time()
        self._identities = identities
        self._rules: dict[int, ModuleRules | None] = {}
        self._symcaches: dict[int, OpenSymcache | None] = {}
        self._symbols: dict[tuple[int, int], bool] = {}
        question.learn(identities)

    def rules(self, module: int) -> ModuleRules | None | Literal[Pending.MISSING_YET]:
        """The unwind rules of a module, None if there are none to be had."""
        if module in self._rules:
            return self._rules[module]
        known = self._engine.unwound.known(self._question, self._identities[module], self._now)
        if known is None or not self._open(module, known):
            return MISSING_YET
        return self._rules[module]

    def has_symbol(self, module: int, relative: int) -> bool | Literal[Pending.MISSING_YET]:
        """Whether a module's symbols have something at a relative address; True where there are no symbols."""
        if module not in self._symcaches:
            return MISSING_YET
        symcache = self._symcaches[module]
        if symcache is None:
            return True
        found = self._symbols.get((module, relative))
        if found is None:
            found = self._symbols[module, relative] = _has(symcache, relative)
        return found

    def supply(self, needs: Iterable[Need]) -> None:
        """Look up what is needed, side by side. Raises DeadlineExceeded."""
        jobs: list[Callable[[], None]] = []
        for need in set(needs):
            if self._recall(need):
                continue
            if need.kind == "symcache":
                jobs.append(partial(self._find_symbols, need.module))
                continue
            jobs.append(partial(self._find_rules, need.module))
            identity = self._identities[need.module]
            # Its frames will need the names, which often lie in the same file.
            if _is_identified(identity) and self._engine.modules.known(self._question, identity, self._now) is None:
                jobs.append(partial(self._find_names, identity))
        self._question.deadline.check()
        run_all(jobs, self._question.deadline)

    def _recall(self, need: Need) -> bool:
        """Take from the disk what it knows; False for what has to be looked up."""
        engine, identity = self._engine, self._identities[need.module]
        named = engine.modules.known(self._question, identity, self._now) is not None
        if not named and (need.kind == "symcache" or _is_identified(identity)):
            named = engine.modules.recall(self._question, identity) is not None
        if need.kind == "symcache":
            if named:
                self._find_symbols(need.module)
            return named
        found = engine.unwound.recall(self._question, identity)
        opened = found is not None and self._open(need.module, found)
        return opened and (named or not _is_identified(identity))

    def _find_names(self, identity: ImageIdentity) -> None:
        self._engine.modules.resolve(self._question, identity)

    def _find_rules(self, module: int) -> None:
        identity = self._identities[module]
        for _ in range(2):
            if self._open(module, self._engine.unwound.resolve(self._question, identity)):
                return
            self._engine.unwound.forget(self._question, identity)
        _log.warning("a file of unwind rules cannot be read", extra={"code_file": identity.wanted.code_file})
        self._rules[module], self.unwound[module] = None, UNREADABLE_RULES

    def _open(self, module: int, found: Unwound) -> bool:
        """Put a module's rules into the book; False when their file is gone or unreadable."""
        answer = found.answer
        rules = None
        if answer.identity is not None and answer.path is not None:
            try:
                rules = self._engine.cfis.get(answer.identity, answer.path, answer.checksum)
            except _UNREADABLE:
                return False
        self._rules[module], self.unwound[module] = rules, found
        return True

    def _find_symbols(self, module: int) -> None:
        identity = self._identities[module]
        answer = self._engine.modules.resolve(self._question, identity).answer
        symcache = None
        if answer.identity is not None and answer.path is not None and not answer.managed:
            try:
                symcache = self._engine.symcaches.get(answer.identity, answer.path)
            except SymcacheError:
                self._engine.modules.forget(self._question, identity)
        self._symcaches[module] = symcache


def _is_identified(identity: ImageIdentity) -> bool:
    """Whether a module's ids are complete; else its unwind rules may tell more of it."""
    return identity.wanted.debug_id is not None and identity.wanted.debug_file is not None


def _has(symcache: OpenSymcache, relative: int) -> bool:
    try:
        return bool(symcache.lookup([relative])[relative])
    except SymcacheError:
        return True
