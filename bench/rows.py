"""What every bench gives: rows, each a ratio to something fixed that was measured in the same run, with its spread."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Spread:
    """The figures of all rounds: their median, and between which two they lay."""

    median: float
    least: float
    greatest: float
    rounds: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of one figure per round. Raises statistics.StatisticsError where there is none."""
        found = sorted(values)
        return cls(statistics.median(found), found[0], found[-1], len(found))

    @classmethod
    def ratios(cls, ours: Sequence[float], fixed: Sequence[float]) -> Spread:
        """Ours by what it is measured against, round by round. Raises ValueError where the rounds are not as many."""
        return cls.of(one / other for one, other in zip(ours, fixed, strict=True))


@dataclass(frozen=True, slots=True)
class Target:
    """Where the median should lie."""

    sign: Literal["<=", ">="]
    bound: float

    def met(self, median: float) -> bool:
        return median <= self.bound if self.sign == "<=" else median >= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"


def at_most(bound: float) -> Target:
    return Target("<=", bound)


def at_least(bound: float) -> Target:
    return Target(">=", bound)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    `against` names what is fixed, `unit` is empty for a ratio and names what a plain figure counts ("MB", "s").
    Without `ratio` the row could not be measured here, and `note` says why.
    """

    name: str
    ratio: Spread | None
    against: str
    unit: str = ""
    target: Target | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """None where there is no target or no figure."""
        return self.target.met(self.ratio.median) if self.target and self.ratio else None


def missing(name: str, against: str, reason: object, *, target: Target | None = None) -> Row:
    """A row of what cannot be measured here."""
    return Row(name, None, against, target=target, note=f"not measured: {reason}")


def encoded(row: Row) -> dict[str, Any]:
    """A row as JSON has it."""
    return asdict(row)


def decoded(value: dict[str, Any]) -> Row:
    """The row that `encoded` made this of."""
    ratio, target = value["ratio"], value["target"]
    return Row(
        **value
        | {"ratio": ratio and Spread(**ratio | {"rounds": int(ratio["rounds"])}), "target": target and Target(**target)}
    )
