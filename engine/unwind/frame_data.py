"""The rules of STACK WIN records: the frame data programs and FPO data of x86 Windows.

A program is Breakpad's form of what PDB files hold: postfix, `variable expression =` any number of times, with the
callee's registers as the variables' first values. See Breakpad's docs/symbol_files.md and the FRAMEDATA structure of
the Debug Interface Access SDK.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from engine.unwind.postfix import Load, Operator, Program, binary, compile_steps

if TYPE_CHECKING:
    from engine.formats.cfi import WinRecord
    from engine.unwind.cpus import CpuModel, Scene, Values
    from engine.unwind.rules import Plain, Rule

_MASK = 0xFFFFFFFF
_RESULTS = frozenset({"eip", "esp", "ebp", "ebx", "esi", "edi"})
_LONGEST_PROGRAM = 1 << 12
# Some producers leave out the blank behind an assignment.
_GLUED = re.compile(r"=(?=[^\s=])")
_Operand: TypeAlias = int | str


@dataclass(frozen=True, slots=True)
class WinRule:
    """One record. `program` is None for FPO data. `otherwise` is the STACK CFI rule for the same address.

    `above` is the distance in bytes from the stack pointer to where the search for the return address begins.
    """

    program: Program | None
    constants: dict[str, int]
    above: int
    aligns: bool
    saved_base_pointer: int | None
    otherwise: Rule | None

    @property
    def plain(self) -> Plain | None:
        return None

    @property
    def is_bottom(self) -> bool:
        return False

    @property
    def is_signal(self) -> bool:
        return False

    @property
    def weight(self) -> int:
        """How much memory it takes, in that of a usual rule."""
        return 2 + len(self.program or ()) // 128 + (self.otherwise.weight if self.otherwise else 0)

    def apply(self, registers: Values, scene: Scene, *, innermost: bool) -> Values | None:
        """The caller's registers by this record, else by the STACK CFI rule."""
        by_record = self._by_fpo if self.program is None else self._by_program
        caller = by_record(registers, scene, innermost)
        if caller is None and self.otherwise is not None:
            return self.otherwise.apply(registers, scene, innermost=innermost)
        return caller

    def _by_program(self, registers: Values, scene: Scene, innermost: bool) -> Values | None:
        start = self._search_start(registers)
        if start is None or self.program is None:
            return None
        variables = {**registers, **self.constants, "raSearch": start, "raSearchStart": start}
        assigned = run(self.program, variables, scene.stack.load)
        if assigned is None or "eip" not in assigned or "esp" not in assigned:
            return None
        results = {name: value for name, value in assigned.items() if name in _RESULTS}
        return {**scene.cpu.forwarded(registers), **results}

    def _search_start(self, registers: Values) -> int | None:
        """Where the return address is looked for: a program that aligns the stack has lost the distance to it."""
        if self.aligns:
            frame = registers.get("ebp")
            return None if frame is None else (frame + 4) & _MASK
        return (registers["esp"] + self.above) & _MASK

    def _by_fpo(self, registers: Values, scene: Scene, innermost: bool) -> Values | None:
        """The return address lies above locals and saved registers."""
        load = scene.stack.load
        place = (registers["esp"] + self.above) & _MASK
        if innermost and load(place) == registers["eip"]:
            place += 4
        pc = load(place)
        if pc is None:
            return None
        caller = scene.cpu.forwarded(registers)
        if self.saved_base_pointer is not None:
            above = load((registers["esp"] + self.saved_base_pointer) & _MASK)
            if above is None:
                return None
            caller["ebp"] = above
        return {**caller, "eip": pc, "esp": place + 4 & _MASK}


def compile_record(record: WinRecord, cpu: CpuModel, otherwise: Rule | None) -> WinRule | None:
    """The rule of a record; None when it has a program that is not plausible.

    How many bytes of parameters the callee took is not known to the unwinder and counts as none.
    """
    text = record.program
    if text is not None and len(text) > _LONGEST_PROGRAM:
        return None
    program = None if text is None else compile_steps(_GLUED.sub("= ", text).split(), cpu.rename)
    saved = record.saved_register_size
    constants = {
        "cbParams": record.parameter_size,
        "cbCalleeParams": 0,
        "cbSavedRegs": saved,
        "cbLocals": record.local_size,
    }
    aligns = program is not None and Operator.ALIGN in program
    base_pointer = saved - 8 if record.allocates_base_pointer else None
    return WinRule(program, constants, record.local_size + saved, aligns, base_pointer, otherwise)


def run(program: Program, variables: dict[str, int], load: Load) -> dict[str, int] | None:
    """What a program assigns, by variable; None when it cannot be run to its end."""
    stack: list[_Operand] = []
    assigned: dict[str, int] = {}
    for step in program:
        if not isinstance(step, Operator):
            stack.append(step)
        elif not _operate(step, stack, variables, assigned, load):
            return None
    return assigned


def _operate(
    operator: Operator, stack: list[_Operand], variables: dict[str, int], assigned: dict[str, int], load: Load
) -> bool:
    """Whether the operator could be carried out on the topmost operands."""
    if operator is Operator.ASSIGN:
        return _assign(stack, variables, assigned)
    right = _number(stack, variables)
    if right is None:
        return False
    if operator is Operator.LOAD:
        value = load(right)
    else:
        left = _number(stack, variables)
        value = None if left is None else binary(operator, left, right, _MASK)
    if value is None:
        return False
    stack.append(value & _MASK)
    return True


def _assign(stack: list[_Operand], variables: dict[str, int], assigned: dict[str, int]) -> bool:
    value = _number(stack, variables)
    name = stack.pop() if stack else None
    if value is None or not isinstance(name, str):
        return False
    variables[name] = assigned[name] = value
    return True


def _number(stack: list[_Operand], variables: dict[str, int]) -> int | None:
    """The topmost operand, a variable's value if it is one."""
    if not stack:
        return None
    top = stack.pop()
    value = variables.get(top) if isinstance(top, str) else top
    return None if value is None else value & _MASK
