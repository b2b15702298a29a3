"""Folds that say how values are spread: the commonest of them, all of them, or how many lie between which bounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, Final

from crashes.answers import malformed
from crashes.query.asking import Asked
from crashes.query.attributes import Attribute
from crashes.query.literals import Binder
from crashes.query.running import decoded, plain, rows

# How many values or bins of a group, unless the query says; and at most.
_DEFAULTS: Final = MappingProxyType({"distribution": 3, "histogram": 256, "bin": 10})
_MOST: Final = 256
OPERATIONS: Final = frozenset(_DEFAULTS)
# Of all groups of an answer together.
MOST_VALUES: Final = 50_000


def size_of(operator: str, options: Sequence[Any], where: str) -> int | None:
    """How many values or bins an operation asks for; None for one that has no such number. Raises Refusal (400)."""
    if operator not in _DEFAULTS:
        return None
    if not options:
        return _DEFAULTS[operator]
    size = options[0]
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= _MOST:
        raise malformed(f"{where}: {operator} takes a number from 1 to {_MOST}")
    return size


def spread(
    operator: str, about: Attribute | None, size: int | None, asked: Asked, key: str, groups: Sequence[str | None]
) -> list[list[Any]]:
    """For each of the groups (keys as JSON text) what the operation found. Raises Refusal (400) for too much of it."""
    if about is None or size is None:
        raise malformed("callstack: cannot be counted by value")
    if len(groups) * size > MOST_VALUES:
        raise malformed(f"limit: fewer groups, please, with {operator}: {MOST_VALUES} values together")
    bind = Binder(dict(asked.bind.values))
    some = [group for group in groups if group is not None]
    among = f"(({key})::text = ANY({bind(some)}::text[]) OR ({key}) IS NULL)"
    made = _bins if operator == "bin" else _commonest
    found = made(f"{asked.source} AND {among}", key, about, size, bind)
    finish = _FINISHED[operator]
    return [[finish(found.get(group, []))] for group in groups]


Found = dict[str | None, list[Any]]


def _commonest(source: str, key: str, about: Attribute, size: int, bind: Binder) -> Found:
    """`(value, count, number of values, number of crashes with one)`, the commonest first."""
    statement = f"""
        SELECT grp, val::text, times, keys, crashes FROM (
            SELECT grp, val, times, count(*) OVER grps AS keys, sum(times) OVER grps AS crashes,
                row_number() OVER (PARTITION BY grp ORDER BY times DESC, val) AS place
            FROM (SELECT ({key})::text AS grp, {about.value} AS val, count(*) AS times {source} GROUP BY 1, 2) counted
            WHERE val IS NOT NULL
            WINDOW grps AS (PARTITION BY grp)
        ) ranked WHERE place <= {size:d} ORDER BY grp, place
    """  # noqa: S608
    found: Found = defaultdict(list)
    for group, value, times, keys, crashes in rows(statement, bind):
        found[group].append((decoded(value), times, keys, int(crashes)))
    return found


def _bins(source: str, key: str, about: Attribute, size: int, bind: Binder) -> Found:
    """`[from, to, count]`, of equal width between the group's least and greatest number; empty ones are left out."""
    statement = f"""
        WITH numbers AS (SELECT ({key})::text AS grp, {about.number} AS n {source}),
            bounds AS (SELECT grp, min(n) AS low, max(n) AS high FROM numbers WHERE n IS NOT NULL GROUP BY grp)
        SELECT b.grp, b.low, b.high, CASE WHEN b.low = b.high THEN 1
            ELSE least(width_bucket(n.n::numeric, b.low::numeric, b.high::numeric, {size:d}), {size:d}) END AS bin,
            count(*)
        FROM numbers n JOIN bounds b ON b.grp IS NOT DISTINCT FROM n.grp WHERE n.n IS NOT NULL
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 4
    """  # noqa: S608
    found: Found = defaultdict(list)
    for group, low, high, place, count in rows(statement, bind):
        width = (high - low) / size
        upper = high if place == size else low + width * place
        found[group].append([plain(low + width * (place - 1)), plain(upper), count])
    return found


def _distribution(found: Sequence[Any]) -> dict[str, Any]:
    keys, crashes = (found[0][2], found[0][3]) if found else (0, 0)
    shown = [[value, times] for value, times, _, _ in found]
    return {"keys": keys, "tail": crashes - sum(times for _, times in shown), "vals": shown}


def _histogram(found: Sequence[Any]) -> list[list[Any]]:
    return [[value, times] for value, times, _, _ in found]


_FINISHED: Final[MappingProxyType[str, Callable[[Sequence[Any]], Any]]] = MappingProxyType(
    {"distribution": _distribution, "histogram": _histogram, "bin": list}
)
