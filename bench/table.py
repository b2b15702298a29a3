"""Rows as a table for people, and what moved since another run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.rows import Row, Spread

Rows = Mapping[str, Sequence[Row]]
_HEAD = ("", "median", "least", "greatest", "rounds", "target", "", "against")
_WIDTHS = (46, 9, 9, 9, 6, 8, 5)


def table(found: Rows) -> Iterator[str]:
    """The lines of the table, with a heading per bench and notes below their row."""
    yield _line(_HEAD)
    for bench, rows in found.items():
        yield f"\n{bench}"
        for row in rows:
            yield _line(_cells(row))
            if row.note:
                yield f"      {row.note}"


def figure(value: float, unit: str = "") -> str:
    """A figure with as many digits as say something."""
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 0.1 else 4
    return f"{value:.{digits}f}{' ' if unit else ''}{unit}"


def _cells(row: Row) -> tuple[str, ...]:
    if row.ratio is None:
        return (f"  {row.name}", "-", "", "", "", str(row.target or ""), "", row.against)
    ratio, verdict = row.ratio, {True: "met", False: "MISSED", None: ""}[row.met]
    spread = (figure(ratio.median, row.unit), figure(ratio.least), figure(ratio.greatest), str(ratio.rounds))
    return (f"  {row.name}", *spread, str(row.target or ""), verdict, row.against)


def _line(cells: Sequence[str]) -> str:
    first, *rest = (f"{cell:{'<' if at == 0 else '>'}{width}}" for at, (cell, width) in enumerate(zip(cells, _WIDTHS)))  # noqa: B905 - the last cell is as wide as it is
    return " ".join((first, *rest)) + f"  {cells[-1]}"


def moved(before: Rows, now: Rows) -> Iterator[str]:
    """What lies outside of the other run's spread, each way, and what only one of the two has."""
    old, new = _by_name(before), _by_name(now)
    for name, row in new.items():
        if name not in old:
            yield f"{name}: new"
        elif (change := _change(old[name], row)) is not None:
            yield f"{name}: {change}"
    yield from (f"{name}: gone" for name in old if name not in new and name.partition(": ")[0] in now)


def _by_name(rows: Rows) -> dict[str, Row]:
    return {f"{bench}: {row.name}": row for bench, found in rows.items() for row in found}


def _change(before: Row, now: Row) -> str | None:
    if before.ratio is None or now.ratio is None:
        return None if before.ratio is now.ratio else now.note or "measured now, was not before"
    if _within(before.ratio, now.ratio.median) or _within(now.ratio, before.ratio.median):
        return None
    factor = now.ratio.median / before.ratio.median if before.ratio.median else float("inf")
    return f"{figure(before.ratio.median)} -> {figure(now.ratio.median, now.unit)} ({factor:.2f} times)"


def _within(spread: Spread, value: float) -> bool:
    return spread.least <= value <= spread.greatest
