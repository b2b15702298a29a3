"""Queries that ask for sums: each operation over the crashes of a group."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from crashes.answers import malformed
from crashes.query import spreading
from crashes.query.asking import Asked, Column, described
from crashes.query.attributes import CALLSTACK, FROM, Attribute, attribute
from crashes.query.bodies import Order
from crashes.query.callstacks import callstacks
from crashes.query.literals import Binder
from crashes.query.running import decoded, plain, rows

# Of an attribute's number `n`, value `v` (JSON), and the crash; each one expression.
_SUMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "count": "count({v})",
        "unique": "count(DISTINCT {v})",
        "sum": "sum({n})",
        "min": "min({n})",
        "max": "max({n})",
        "mean": "avg({n})",
    }
)
_ENDS: Final[Mapping[str, str]] = MappingProxyType({"head": "min", "tail": "max"})
_NAMES: Final = frozenset({*_SUMS, *_ENDS, "range", *spreading.OPERATIONS})
_INDEXED: Final = re.compile(r"(.*);([0-9]{1,3})")
_CALLED: Final = re.compile(r"([a-z]+)\((.*)\)")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a fold. `columns` are its expressions in SQL, `first` the place of the first of them in a row.

    `about` is None for callstack, which no expression has.
    """

    name: str
    attribute: str
    about: Attribute | None
    size: int | None
    number: int
    columns: tuple[str, ...]
    first: int

    def values(self, row: Sequence[Any]) -> list[Any]:
        """Its columns in a row."""
        return list(row[self.first : self.first + len(self.columns)])


def fold(asked: Asked) -> dict[str, Any]:
    """The answer to a query with `fold`: `[group, [[…] for each operation], crashes]`, the largest groups first.

    Raises Refusal (400).
    """
    by = [attribute(name, asked.bind, "group") for name in asked.query.groups]
    key = by[0].value if by else "NULL::jsonb"
    operations = _operations(asked)
    expressions = [f"({key})::text", "count(*)", "count(*) OVER ()", *(one for op in operations for one in op.columns)]
    grouping = f"GROUP BY {key}" if by else ""
    statement = f"SELECT {', '.join(expressions)} {asked.source} {grouping} ORDER BY {_order(asked, operations)}"  # noqa: S608
    found = rows(f"{statement} {asked.page}", asked.bind)
    if not by:
        found = [row for row in found if row[1]]
    answers = {op.number: _answers(op, found, asked, key) for op in operations}
    values = [
        [decoded(row[0]) if by else "*", [answers[op.number][place] for op in operations], row[1]]
        for place, row in enumerate(found)
    ]
    total = found[0][2] if found else 0
    counted = {"initial": {"groups": total}, "having": {"groups": total}, "pagination": {"groups": len(found)}}
    factors = {"factors_desc": [{"name": one.name, "format": one.format, "type": one.type} for one in by]}
    return {**described([_column(op) for op in operations]), **factors, "values": values, "cardinalities": counted}


def _operations(asked: Asked) -> list[Operation]:
    made: list[Operation] = []
    first = 3
    for name, wanted in (asked.query.fold or {}).items():
        for one in wanted:
            operation = _operation(name, one, asked.bind, len(made), first)
            made.append(operation)
            first += len(operation.columns)
    return made


def _operation(name: str, wanted: Sequence[Any], bind: Binder, number: int, first: int) -> Operation:
    operator = wanted[0] if wanted else None
    if not isinstance(operator, str) or operator not in _NAMES:
        raise malformed(f"fold: {name}: there is no such operation")
    size = spreading.size_of(operator, wanted[1:], f"fold: {name}")
    if name == CALLSTACK and operator in _ENDS:
        return Operation(operator, name, None, size, number, (f"{_ENDS[operator]}(c.id)",), first)
    about = attribute(name, bind, "fold")
    return Operation(operator, name, about, size, number, _columns(operator, about), first)


def _columns(operator: str, about: Attribute) -> tuple[str, ...]:
    if operator in _ENDS:
        return (f"{_ENDS[operator]}(c.id) FILTER (WHERE {about.value} IS NOT NULL)",)
    if operator == "range":
        return (f"min({about.number})", f"max({about.number})")
    if operator in _SUMS:
        return (_SUMS[operator].format(v=about.value, n=about.number),)
    return ()


def _column(op: Operation) -> Column:
    if op.about is None:
        return Column(op.name, op.attribute, CALLSTACK)
    if op.name in ("count", "unique"):
        return Column(op.name, op.attribute, "none", "uint64")
    return Column(op.name, op.attribute, op.about.format, op.about.type)


def _answers(op: Operation, found: Sequence[Sequence[Any]], asked: Asked, key: str) -> list[list[Any]]:
    """For each row what the operation found."""
    if op.name in _ENDS:
        ids = [op.values(row)[0] for row in found]
        values = _values_of(op, {pk for pk in ids if pk is not None})
        return [[values.get(pk)] for pk in ids]
    if op.name in spreading.OPERATIONS:
        groups = [row[0] for row in found]
        return spreading.spread(op.name, op.about, op.size, asked, key, groups)
    return [[plain(value) for value in op.values(row)] for row in found]


def _values_of(op: Operation, ids: set[int]) -> Mapping[int, Any]:
    if op.about is None:
        return callstacks(ids)
    bind = Binder()
    about = attribute(op.attribute, bind, "fold")
    statement = f"SELECT c.id, ({about.value})::text FROM {FROM} WHERE c.id = ANY({bind(sorted(ids))}::bigint[])"  # noqa: S608
    return {pk: decoded(value) for pk, value in rows(statement, bind)} if ids else {}


def _order(asked: Asked, operations: Sequence[Operation]) -> str:
    parts = [f"{_place(order, operations)} {order.direction} NULLS LAST" for order in asked.query.order]
    return ", ".join([*parts, "2 DESC", "1"])


def _place(order: Order, operations: Sequence[Operation]) -> str:
    """Which column of the statement is meant: `;count`, `;group`, `attribute;number` or `operation(attribute)`."""
    if order.name in (";count", "count"):
        return "2"
    if order.name in (";group", "group"):
        return "1"
    indexed, called = _INDEXED.fullmatch(order.name), _CALLED.fullmatch(order.name)
    if indexed:
        of_attribute = [op for op in operations if op.attribute == indexed[1]]
        meant = of_attribute[int(indexed[2]) :][:1]
    else:
        meant = [op for op in operations if called and (op.name, op.attribute) == (called[1], called[2])]
    if not meant or meant[0].name in _ENDS or not meant[0].columns:
        raise malformed("order: there is nothing of this name to sort by")
    # Of a range the upper end.
    return str(meant[0].first + len(meant[0].columns))
