"""How sources do, for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from sources.models import SourceDay, SymbolSource
from sources.selectors import Place

SHOWN_DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class DayCounts:
    """One day's answers of a source."""

    hits: int = 0
    misses: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class SourceState:
    """What came of asking a source. `days` are the last two weeks, today last; times reach back some weeks more."""

    days: tuple[DayCounts, ...] = (DayCounts(),) * SHOWN_DAYS
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    failure: str = ""

    @property
    def hits(self) -> int:
        return sum(day.hits for day in self.days)

    @property
    def misses(self) -> int:
        return sum(day.misses for day in self.days)

    @property
    def failures(self) -> int:
        return sum(day.failures for day in self.days)

    @property
    def asked(self) -> bool:
        return self.succeeded_at is not None or self.failed_at is not None

    @property
    def failing(self) -> bool:
        """Whether the last thing that it said was a failure."""
        return self.failed_at is not None and (self.succeeded_at is None or self.failed_at > self.succeeded_at)


def states_of(place: Place) -> Mapping[str, SourceState]:
    """The state of each source that was asked lately, by its id; one query."""
    by_id: dict[str, list[SourceDay]] = {}
    for row in _rows(place):
        by_id.setdefault(row.source_id, []).append(row)
    today = timezone.now().date()
    return {source_id: _state(rows, today) for source_id, rows in by_id.items()}


def _rows(place: Place) -> QuerySet[SourceDay]:
    if place.project is not None:
        return SourceDay.objects.filter(project=place.project)
    # A project's own source hides the organization's of the same id.
    own = SymbolSource.objects.filter(project_id=OuterRef("project_id"), source_id=OuterRef("source_id"))
    return SourceDay.objects.filter(project__organization=place.organization).exclude(Exists(own))


def _state(rows: Iterable[SourceDay], today: date) -> SourceState:
    counts: dict[date, DayCounts] = {}
    succeeded_at: datetime | None = None
    failed: SourceDay | None = None
    for row in rows:
        old = counts.get(row.day, DayCounts())
        counts[row.day] = DayCounts(old.hits + row.hits, old.misses + row.misses, old.failures + row.failures)
        if row.succeeded_at is not None:
            succeeded_at = row.succeeded_at if succeeded_at is None else max(succeeded_at, row.succeeded_at)
        if row.failed_at is not None and (
            failed is None or failed.failed_at is None or row.failed_at > failed.failed_at
        ):
            failed = row
    days = (today - timedelta(days=ago) for ago in reversed(range(SHOWN_DAYS)))
    return SourceState(
        days=tuple(counts.get(day, DayCounts()) for day in days),
        succeeded_at=succeeded_at,
        failed_at=failed.failed_at if failed else None,
        failure=failed.failure if failed else "",
    )
