"""The unwind rules of one module, compiled the first time an address needs them and remembered."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakSet

from engine.unwind.frame_data import WinRule, compile_record
from engine.unwind.rules import Rule, compile_rule

if TYPE_CHECKING:
    from engine.formats.cfi import CfiIndex
    from engine.formats.eh_frame import EhFrameIndex
    from engine.unwind.cpus import CpuModel

CallerRule: TypeAlias = Rule | WinRule
Stated: TypeAlias = "CfiIndex | EhFrameIndex"

# Counted in usual rules, which take about half a kilobyte.
_RULES_IN_A_PROCESS = 1 << 17


class RuleBudget:
    """Bounds how many compiled rules all modules of a process remember together, in two generations.

    When the young rules are half of the limit they become the old ones, and the old ones are dropped.
    """

    def __init__(self, limit: int = _RULES_IN_A_PROCESS) -> None:
        self._half = limit // 2
        self._lock = Lock()
        self._used = 0
        self._holders: WeakSet[CompiledRules] = WeakSet()

    def remember(self, holder: CompiledRules, relative: int, rule: CallerRule | None) -> None:
        with self._lock:
            if self._used >= self._half:
                self._age()
            self._holders.add(holder)
            holder.young[relative] = rule
            self._used += 1 if rule is None else rule.weight

    def _age(self) -> None:
        for holder in self._holders:
            holder.old, holder.young = holder.young, {}
        self._holders = WeakSet(holder for holder in self._holders if holder.old)
        self._used = 0


class CompiledRules:
    """The rules of a module as a processor reads them, by relative address. `young` is read without a lock."""

    def __init__(self, index: Stated, cpu: CpuModel, budget: RuleBudget) -> None:
        self._index = index
        self._cpu = cpu
        self._budget = budget
        self.young: dict[int, CallerRule | None] = {}
        self.old: dict[int, CallerRule | None] = {}

    def find(self, relative: int) -> CallerRule | None:
        """What holds at a relative address; None if nothing is said or it makes no sense."""
        try:
            return self.young[relative]
        except KeyError:
            return self._find_anew(relative)

    def _find_anew(self, relative: int) -> CallerRule | None:
        old = self.old
        rule = old[relative] if relative in old else self._compile(relative)
        self._budget.remember(self, relative, rule)
        return rule

    def _compile(self, relative: int) -> CallerRule | None:
        stated = self._index.cfi(relative)
        rule = None if stated is None else compile_rule(stated[1], self._cpu)
        record = self._index.win(relative) if self._cpu.name == "x86" else None
        by_record = None if record is None else compile_record(record, self._cpu, rule)
        return by_record or rule


class ModuleRules:
    """The unwind rules of one file. Shared between requests and threads; the file stays mapped as long as this."""

    def __init__(self, index: Stated, budget: RuleBudget) -> None:
        self._index = index
        self._budget = budget
        self._compiled: dict[str, CompiledRules] = {}
        self.is_empty = index.is_empty

    def covers(self, relative: int) -> bool:
        """Whether a STACK CFI range holds the relative address."""
        return self._index.covers(relative)

    def compiled(self, cpu: CpuModel) -> CompiledRules:
        """The rules in terms of a processor's registers: a dump may claim any processor for a file."""
        found = self._compiled.get(cpu.name)
        if found is None:
            found = self._compiled.setdefault(cpu.name, CompiledRules(self._index, cpu, self._budget))
        return found
