"""Queries that ask for attributes of each crash."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from crashes.answers import malformed
from crashes.query.asking import Asked, Column, described
from crashes.query.attributes import CALLSTACK, Attribute, attribute
from crashes.query.callstacks import callstacks
from crashes.query.running import decoded, rows

# Stacks have to be unpacked one by one.
MOST_CALLSTACKS: Final = 1_000
_NEWEST_FIRST: Final = "c.received_at DESC, c.id DESC"


def select(asked: Asked) -> dict[str, Any]:
    """The answer to a query with `select`: a column of values for each attribute, and the crashes' own ids.

    Newest first unless it says otherwise. Raises Refusal (400).
    """
    names = asked.query.select or []
    if CALLSTACK in names and asked.query.limit > MOST_CALLSTACKS:
        raise malformed(f"limit: at most {MOST_CALLSTACKS} where callstack is selected")
    wanted = {name: attribute(name, asked.bind, "select") for name in names if name != CALLSTACK}
    expressions = ["c.id", *(f"({one.value})::text" for one in wanted.values())]
    # Placeholders are numbered as they come: the order of sorting after those of the columns.
    statement = f"SELECT {', '.join(expressions)} {asked.source} ORDER BY {_order(asked)} {asked.page}"  # noqa: S608
    found = rows(statement, asked.bind)
    ids = [row[0] for row in found]
    values = {name: [decoded(row[number]) for row in found] for number, name in enumerate(wanted, 1)}
    if CALLSTACK in names:
        stacks = callstacks(ids)
        values[CALLSTACK] = [stacks.get(pk) for pk in ids]
    return {
        **described([_column(name, wanted.get(name)) for name in names]),
        "values": [["*", *_run_lengths(values[name])] for name in names],
        "objects": [["*", [[format(pk, "x"), 1] for pk in ids]]],
        "cardinalities": _cardinalities(asked, len(ids)),
    }


def _column(name: str, found: Attribute | None) -> Column:
    if found is None:
        return Column("", name, CALLSTACK)
    return Column("", name, found.format, found.type)


def _order(asked: Asked) -> str:
    parts: list[str] = []
    for order in asked.query.order:
        by = attribute(order.name, asked.bind, "order")
        # Numbers by their size and before texts.
        parts += [f"{by.number} {order.direction} NULLS LAST", f'{by.text} COLLATE "C" {order.direction} NULLS LAST']
    return ", ".join([*parts, _NEWEST_FIRST])


def _cardinalities(asked: Asked, shown: int) -> dict[str, Any]:
    ((total,),) = rows(f"SELECT count(*) {asked.source}", asked.bind)  # noqa: S608
    return {"initial": {"rows": total}, "having": {"rows": total}, "pagination": {"rows": shown}}


def _run_lengths(values: Sequence[Any]) -> list[list[Any]]:
    """`[value, how many times in a row]`. True is told from 1."""
    runs = groupby(values, key=lambda value: (type(value), value))
    return [[value, sum(1 for _ in run)] for (_, value), run in runs]
