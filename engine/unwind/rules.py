"""The rules of STACK CFI records: text to something that is quick to apply.

The text is Breakpad's: `register: expression` for any number of registers, `.cfa` is the stack pointer of the caller
and `.ra` the address it goes on at. Of several rules for one register the last one counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from engine.unwind.postfix import CFA, Operator, Program, compile_steps, evaluate

if TYPE_CHECKING:
    from engine.unwind.cpus import CpuModel, Scene, Values

RA = ".ra"
SIGNAL = ".signal"
_UNDEFINED = (".undef",)
_RULE = re.compile(r"([^\s:]+):\s")
_LONGEST_TEXT = 1 << 17
_NEAREST_WORDS = 1 << 20
# Each frame evaluates a rule again: more than any producer writes is not evaluated at all.
_MOST_STEPS = 256
_USUAL_LENGTH = 64
_USUAL_RULES = 320
_MOST_REGISTERS = 256


class Plain(NamedTuple):
    """A rule of the usual form: the CFA lies at a register plus a number, everything else was saved relative to it.

    `ra` and `saved` count words from the CFA, `lowest` and `highest` are the extremes of these. `odd` tells that
    registers are restored that otherwise would not pass to the caller.
    """

    base: str
    offset: int
    ra: int
    lowest: int
    highest: int
    saved: tuple[tuple[str, int], ...]
    odd: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """How to get at the caller's registers. Without `ra` nobody called: the bottom of the stack.

    A register whose program is None has no value in the caller. `plain` says the same where it can. `is_signal` tells
    of code that signal handlers return to: the frame behind it was interrupted anywhere, it does not wait for a call.
    """

    cfa: Program
    ra: Program | None
    others: tuple[tuple[str, Program | None], ...]
    plain: Plain | None
    is_signal: bool = False

    @property
    def is_bottom(self) -> bool:
        """Whether nobody called the function."""
        return self.ra is None

    @property
    def weight(self) -> int:
        """How much memory it takes, in that of a usual rule."""
        steps = sum(len(program) + 8 for _, program in self.others if program is not None)
        return 1 + (len(self.cfa) + len(self.ra or ()) + steps) // 128

    def apply(self, registers: Values, scene: Scene, *, innermost: bool) -> Values | None:
        """The caller's registers, None when the rule needs a register or memory that is not known."""
        cpu, load, mask = scene.cpu, scene.stack.load, scene.cpu.mask
        cfa = evaluate(self.cfa, registers, load, mask)
        if cfa is None or self.ra is None:
            return None
        known = {**registers, CFA: cfa}
        ra = evaluate(self.ra, known, load, mask)
        if ra is None:
            return None
        caller = cpu.forwarded(registers)
        for name, program in self.others:
            value = None if program is None else evaluate(program, known, load, mask)
            if value is None:
                caller.pop(name, None)
            else:
                caller[name] = value
        caller.setdefault(cpu.sp, cfa)
        caller[cpu.pc] = ra & scene.pointer_mask
        return caller


def compile_rule(text: str, cpu: CpuModel) -> Rule | None:
    """The rule that a text states, None if it states none that could be applied."""
    return _remembered_rule(text, cpu) if len(text) <= _USUAL_RULES else _compiled_rule(text, cpu)


def _compiled_rule(text: str, cpu: CpuModel) -> Rule | None:
    if len(text) > _LONGEST_TEXT:
        return None
    pieces = _RULE.split(text)
    stated = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    programs = {cpu.rename(name): _program(body, cpu) for name, body in stated.items()}
    cfa, ra = programs.pop(CFA, None), programs.pop(RA, None)
    is_signal = SIGNAL in programs
    programs.pop(SIGNAL, None)
    if not cfa or CFA in cfa or len(programs) > _MOST_REGISTERS:
        return None
    others = tuple(programs.items())
    return Rule(cfa, ra, others, None if is_signal else _plain(cfa, ra, others, cpu), is_signal)


# Modules have most of their rules in common.
_remembered_rule = lru_cache(1 << 13)(_compiled_rule)


def _program(text: str, cpu: CpuModel) -> Program | None:
    """None is the program of a register that is lost."""
    program = _remembered(text, cpu) if len(text) <= _USUAL_LENGTH else _compiled(text, cpu)
    return None if program == _UNDEFINED else program


def _compiled(text: str, cpu: CpuModel) -> Program:
    """An expression that is too long becomes the empty one, which has no value."""
    tokens = text.split()
    return compile_steps(tokens, cpu.rename) if len(tokens) <= _MOST_STEPS else ()


_remembered = lru_cache(1 << 12)(_compiled)


def _plain(
    cfa: Program, ra: Program | None, others: tuple[tuple[str, Program | None], ...], cpu: CpuModel
) -> Plain | None:
    based = _based(cfa)
    place = _place(ra, cpu.width)
    if based is None or place is None:
        return None
    saved = []
    for name, program in others:
        at = _place(program, cpu.width)
        if at is None or name in (cpu.pc, cpu.sp):
            return None
        saved.append((name, at))
    places = [place, *(at for _, at in saved)]
    odd = any(name not in cpu.saved for name, _ in saved)
    return Plain(*based, place, min(places), max(places), tuple(saved), odd)


def _based(program: Program) -> tuple[str, int] | None:
    """Register and number of `register number +`."""
    match program:
        case (str(name), int(offset), Operator.ADD):
            return name, offset
        case (str(name), int(offset), Operator.SUBTRACT):
            return name, -offset
    return None


def _place(program: Program | None, width: int) -> int | None:
    """Words from the CFA to what `.cfa number + ^` loads."""
    if program is None or len(program) != 4 or program[0] != CFA or program[3] is not Operator.LOAD:
        return None
    based = _based(program[:3])
    if based is None or based[1] % width or abs(based[1]) > _NEAREST_WORDS:
        return None
    return based[1] // width
