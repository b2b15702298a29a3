"""DWARF expressions as terms of unwind text, which are written postfix as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.formats.eh_frame.numbers import Numbers

_LONGEST: Final = 64
_DEREF, _PLUS_CONSTANT = 0x06, 0x23
_LITERALS, _BASE_REGISTERS = range(0x30, 0x50), range(0x70, 0x90)
_OPERATORS: Final = {0x1C: "-", 0x1E: "*", 0x22: "+"}
# Constants by their opcode: how many bytes follow, and whether there is a sign.
_CONSTANTS: Final = {
    0x08: (1, False),
    0x09: (1, True),
    0x0A: (2, False),
    0x0B: (2, True),
    0x0C: (4, False),
    0x0D: (4, True),
}


def translate(numbers: Numbers, name: Callable[[int], str | None]) -> str | None:
    """The term for what an expression computes from registers; None for what unwind text has no words for.

    Raises FormatError when the expression is cut off.
    """
    stack: list[str] = []
    for _ in range(_LONGEST):
        if numbers.position >= numbers.end:
            return stack[0] if len(stack) == 1 and not _is_number(stack[0]) else None
        if not _step(numbers.u8(), numbers, stack, name):
            return None
    return None


def _step(code: int, numbers: Numbers, stack: list[str], name: Callable[[int], str | None]) -> bool:
    """Do one operation; whether that was possible."""
    if code in _BASE_REGISTERS:
        register, offset = name(code - _BASE_REGISTERS.start), numbers.sleb()
        stack.append(f"{register} {offset} +")
        return register is not None
    if code in _LITERALS or code in _CONSTANTS:
        stack.append(str(_constant(code, numbers)))
        return True
    if code in (_DEREF, _PLUS_CONSTANT) and stack:
        stack.append(f"{stack.pop()} ^" if code == _DEREF else f"{stack.pop()} {numbers.uleb()} +")
        return True
    if code in _OPERATORS and len(stack) >= 2:
        right = stack.pop()
        stack.append(f"{stack.pop()} {right} {_OPERATORS[code]}")
        return True
    return False


def _is_number(term: str) -> bool:
    return term.removeprefix("-").isdigit()


def _constant(code: int, numbers: Numbers) -> int:
    if code in _LITERALS:
        return code - _LITERALS.start
    size, signed = _CONSTANTS[code]
    return numbers.number(size, signed=signed)
