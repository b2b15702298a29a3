"""Walking a stack: from one frame to its caller by the first method that succeeds, until none does."""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum
from typing import TYPE_CHECKING, Final

from engine.minidump.model import Region
from engine.unwind.by_scan import scan, wait_for_rules
from engine.unwind.cpus import CPUS, Scene, Values
from engine.unwind.cpus.arm64 import ARM64, pointer_mask
from engine.unwind.cpus.base import LOWEST_PC
from engine.unwind.model import Book, Ended, Need, Regions, Trust, Walk, WalkedFrame
from engine.unwind.module_map import ModuleMap
from engine.unwind.module_rules import CallerRule, CompiledRules
from engine.unwind.rules import Plain
from engine.unwind.stack import Stack

if TYPE_CHECKING:
    from engine.minidump.model import Os, Registers

MAX_FRAMES = 256


class _NoRule(Enum):
    """There is no rule, or it cannot be applied."""

    NO_RULE = "no rule"


_NO_RULE: Final = _NoRule.NO_RULE


def walk(
    start: Registers,
    stack: Region | None,
    memory: Regions,
    modules: ModuleMap,
    book: Book,
    os: Os,
    *,
    limit: int = MAX_FRAMES,
) -> Generator[Need, None, Walk]:
    """Walk the stack of one thread from the registers it was stopped with.

    Yields what has to be known of a module the moment it is met; the caller puts it into the book and resumes.
    `stack` is the thread's memory; where it does not hold the stack pointer, the region that does is taken.
    """
    cpu = CPUS.get(start.cpu)
    if cpu is None:
        module = modules.find(start.pc)
        return Walk([WalkedFrame(start.pc, Trust.CONTEXT, module)], start.values, Ended.CPU)
    region = stack if stack is not None and start.sp in stack else memory.find(start.sp)
    mask = pointer_mask(modules.highest) if cpu is ARM64 else cpu.mask
    first = Stack(region or Region(start.sp, memoryview(b"")), cpu.width, memory)
    walker = _Walker(Scene(cpu, os, first, mask), modules, book, memory, dict(start.values))
    ended = yield from walker.run(limit)
    ended = Ended.NO_STACK if region is None and ended is Ended.NO_CALLER else ended
    return Walk(walker.frames, start.values, ended, tuple(walker.exact))


class _Walker:
    """The walk of one thread: the frame it has come to, and those before it.

    A step that leads nowhere ends the walk, unless a rule was applied to a frame that a scan had found: then more
    likely that frame was none, and the next method is tried.
    """

    __slots__ = ("_book", "_known", "_memory", "_modules", "_odd", "_registers", "_scene", "_trust", "exact", "frames")

    def __init__(self, scene: Scene, modules: ModuleMap, book: Book, memory: Regions, registers: Values) -> None:
        self._scene = scene
        self._modules = modules
        self._book = book
        self._memory = memory
        self._registers = registers
        self._trust = Trust.CONTEXT
        # Whether there are registers that do not pass to the caller by themselves.
        self._odd = True
        self._known: dict[int, CompiledRules | None] = {}
        self.frames: list[WalkedFrame] = []
        self.exact: list[int] = []

    def run(self, limit: int) -> Generator[Need, None, Ended]:
        """Collect at most `limit` frames, one at least; why there are no more."""
        cpu, modules, known = self._scene.cpu, self._modules, self._known
        pc = instruction = self._registers[cpu.pc]
        while True:
            module = modules.find(instruction)
            self.frames.append(WalkedFrame(pc, self._trust, module))
            if len(self.frames) >= limit:
                return Ended.LIMIT
            rule = None
            if module is not None:
                rules = known[module] if module in known else (yield from self._look_up(module))
                rule = None if rules is None else rules.find(instruction - modules.bases[module])
            ended = self._follow(rule) if rule is not None else _NO_RULE
            if ended is _NO_RULE:
                ended = yield from self._guess()
            if ended is not None:
                return ended
            pc = self._registers[cpu.pc]
            instruction = pc if self.exact and self.exact[-1] == len(self.frames) else pc - cpu.back

    def _look_up(self, module: int) -> Generator[Need, None, CompiledRules | None]:
        rules = yield from wait_for_rules(module, self._book)
        self._known[module] = found = None if rules is None else rules.compiled(self._scene.cpu)
        return found

    def _follow(self, rule: CallerRule) -> Ended | _NoRule | None:
        """Go on to the caller by a rule."""
        if rule.is_bottom:
            return Ended.BOTTOM
        plain = rule.plain
        caller = self._by_plain(plain) if plain is not None else None
        if caller is None:
            self._odd = True
            caller = rule.apply(self._registers, self._scene, innermost=self._trust is Trust.CONTEXT)
        if caller is None:
            return _NO_RULE
        if rule.is_signal:
            return self._leave_handler(caller)
        if self._trust is Trust.SCAN:
            return self._follow_guessed(caller)
        return self._go_on(caller, Trust.CFI)

    def _follow_guessed(self, caller: Values) -> Ended | _NoRule | None:
        """Go on from a frame that may be none: where its rule leads nowhere or to no module, it counts for nothing."""
        return None if self._in_module(caller) and self._go_on(caller, Trust.CFI) is None else _NO_RULE

    def _in_module(self, caller: Values) -> bool:
        cpu = self._scene.cpu
        return self._modules.find(caller[cpu.pc] - cpu.back) is not None

    def _leave_handler(self, caller: Values) -> Ended | None:
        """Go on to what a signal interrupted: anywhere in its code, and perhaps on another stack."""
        cpu = self._scene.cpu
        if caller[cpu.pc] < LOWEST_PC:
            return Ended.LOW_PC
        at = len(self.frames)
        self.exact += (at - 1, at) if at > 1 else (at,)
        self._registers, self._trust = caller, Trust.CFI
        self._change_stack(caller[cpu.sp])
        return None

    def _by_plain(self, plain: Plain) -> Values | None:
        """The usual case of a rule, as long as all it needs lies in the stack's region at whole words."""
        base, offset, ra, lowest, highest, saved, odd = plain
        scene, registers = self._scene, self._registers
        stack, value = scene.stack, registers.get(base)
        if value is None:
            return None
        cfa, words = value + offset, stack.words
        at, rest = divmod(cfa - stack.start, stack.width)
        if rest or at + lowest < 0 or at + highest >= len(words):
            return None
        caller = scene.cpu.forwarded(registers) if self._odd else registers.copy()
        for name, place in saved:
            caller[name] = words[at + place]
        caller[scene.cpu.sp] = cfa
        caller[scene.cpu.pc] = words[at + ra] & scene.pointer_mask
        self._odd = odd
        return caller

    def _guess(self) -> Generator[Need, None, Ended | None]:
        """Go on to the caller without a rule: by the frame pointer, or else by a scan."""
        self._odd = True
        cpu = self._scene.cpu
        interrupted = cpu.by_signal(self._registers, self._scene) if cpu.by_signal and self._is_return_address else None
        if interrupted is not None:
            return self._leave_handler(interrupted)
        caller = cpu.by_frame_pointer(self._registers, self._scene)
        # Frames of code that is compiled as the program runs lie in no module; above what was guessed it is a guess.
        if caller is not None and (self._trust is not Trust.SCAN or self._in_module(caller)):
            return self._go_on(caller, Trust.FP)
        caller = yield from scan(self._registers, self._trust, self._scene, self._modules, self._book)
        return Ended.NO_CALLER if caller is None else self._go_on(caller, Trust.SCAN)

    def _go_on(self, caller: Values, trust: Trust) -> Ended | None:
        """Take the caller's registers unless they cannot be those of a caller."""
        cpu, callee = self._scene.cpu, self._registers
        pc, sp, before = caller[cpu.pc], caller[cpu.sp], callee[cpu.sp]
        if pc < LOWEST_PC:
            return Ended.LOW_PC
        if sp <= before and (sp < before or pc == callee[cpu.pc] or not cpu.keeps_sp(self._state(), trust)):
            return Ended.NO_PROGRESS
        self._registers, self._trust = caller, trust
        if sp >= self._scene.stack.end:
            self._change_stack(sp)
        return None

    @property
    def _is_return_address(self) -> bool:
        """Whether the frame waits for a call, rather than having been stopped anywhere."""
        return len(self.frames) > 1 and not (self.exact and self.exact[-1] == len(self.frames) - 1)

    def _state(self) -> Trust:
        """A frame that was interrupted is like the one that a dump was made of: it may be a leaf."""
        return self._trust if self._is_return_address else Trust.CONTEXT

    def _change_stack(self, sp: int) -> None:
        """A signal handler's stack, say, is another region than that of the code it interrupted."""
        region = None if self._scene.stack.start <= sp < self._scene.stack.end else self._memory.find(sp)
        if region is not None:
            self._scene.stack = Stack(region, self._scene.cpu.width, self._memory)
