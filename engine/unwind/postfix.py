"""Postfix expressions of unwind rules: compiled once, evaluated per frame.

Numbers are words of the processor and wrap around. An expression that cannot be evaluated (a register that is not
known, memory that is not there, a division by zero) has no value; nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TypeAlias

CFA = ".cfa"
_NUMBER = re.compile(r"-?[0-9]{1,20}\Z")
_LONGEST_NAME = 32


class Operator(Enum):
    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    REMAINDER = "%"
    ALIGN = "@"
    LOAD = "^"
    ASSIGN = "="


Step: TypeAlias = int | str | Operator
Program: TypeAlias = tuple[Step, ...]
Load: TypeAlias = Callable[[int], int | None]

OPERATORS = {operator.value: operator for operator in Operator}


def compile_steps(tokens: Iterable[str], rename: Callable[[str], str]) -> Program:
    """Numbers, operators and names, these in the form that `rename` gives them."""
    return tuple([_step(token, rename) for token in tokens])


def _step(token: str, rename: Callable[[str], str]) -> Step:
    operator = OPERATORS.get(token)
    if operator is not None:
        return operator
    if _NUMBER.match(token):
        return int(token)
    return rename(token[:_LONGEST_NAME])


def evaluate(program: Program, names: Mapping[str, int], load: Load, mask: int) -> int | None:
    """The value of an expression, None if it has none. `mask` is the greatest word."""
    stack: list[int] = []
    for step in program:
        value = _value(step, stack, names, load, mask)
        if value is None:
            return None
        stack.append(value & mask)
    return stack[0] if len(stack) == 1 else None


def _value(step: Step, stack: list[int], names: Mapping[str, int], load: Load, mask: int) -> int | None:
    if isinstance(step, int):
        return step
    if isinstance(step, str):
        return names.get(step)
    if step is Operator.LOAD:
        return load(stack.pop()) if stack else None
    if len(stack) < 2:
        return None
    right = stack.pop()
    return binary(step, stack.pop(), right, mask)


def binary(operator: Operator, left: int, right: int, mask: int) -> int | None:
    """The result of an operator of two words; None for a division by zero or an alignment to no power of two."""
    if operator is Operator.ADD:
        return left + right
    if operator is Operator.SUBTRACT:
        return left - right
    if operator is Operator.MULTIPLY:
        return left * right & mask
    if operator is Operator.ALIGN:
        return left & -right if right and not right & (right - 1) else None
    if operator is Operator.ASSIGN or not right:
        return None
    return left // right if operator is Operator.DIVIDE else left % right
