"""The files of unwind rules that a process keeps open."""

from __future__ import annotations

from pathlib import Path

from engine.formats.cfi import CfiIndex
from engine.native.memory import TwoGenerations
from engine.unwind.module_rules import ModuleRules, RuleBudget

_OPEN_FILES = 512


class OpenCfis:
    """Open files of unwind rules by identity, at most `limit` of them; what was used lately stays."""

    def __init__(self, limit: int = _OPEN_FILES, budget: RuleBudget | None = None) -> None:
        self._open: TwoGenerations[str, ModuleRules] = TwoGenerations(limit)
        self._budget = budget or RuleBudget()

    def get(self, identity: str, path: Path) -> ModuleRules:
        """The rules of the file with this content, mapped from `path` if need be.

        The file must have passed its checksum. Raises FormatError when it is none of unwind rules, OSError when it
        cannot be opened.
        """
        found = self._open.get(identity)
        if found is None:
            found = ModuleRules(CfiIndex.open(path), self._budget)
            self._open.put(identity, found, 1)
        return found

    def __len__(self) -> int:
        return len(self._open)
