"""What lists say about groups besides their rows, each by one bounded query for all the groups of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from crashes.models import Crash, Group
from projects.models import Project

DAYS: Final = 14
# No bar grows beyond: it is a small chart, and counting a million crashes for it takes long.
MOST_A_DAY: Final = 500
MOST_COUNTED: Final = 1_000
_MOST_LABELS: Final = 3
_BY_DAY: Final = """
SELECT chosen.id, day.number, (
    SELECT count(*) FROM (
        SELECT FROM crashes_crash AS crash
        WHERE crash.group_id = chosen.id AND crash.received_at >= day.start
            AND crash.received_at < day.start + interval '1 day'
        LIMIT %(most)s
    ) AS bounded
)
FROM unnest(%(groups)s::bigint[]) AS chosen (id)
CROSS JOIN unnest(%(starts)s::timestamptz[]) WITH ORDINALITY AS day (start, number)
"""
_UNNAMED: Final = """
SELECT chosen.id, (
    SELECT count(*) FROM (
        SELECT FROM crashes_crash AS crash
        WHERE crash.project_id = %(project)s AND crash.group_id = chosen.id AND crash.unnamed_count > 0
        LIMIT %(most)s
    ) AS bounded
)
FROM unnest(%(groups)s::bigint[]) AS chosen (id)
"""


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group in a list. `days`: crashes on each of the last days; `unnamed`: crashes with frames without a name.

    `versions` and `platforms` are the commonest; `others` is how many versions there are besides.
    """

    group: Group
    days: Sequence[int]
    unnamed: int
    versions: Sequence[str]
    others: int
    platforms: Sequence[str]

    @property
    def chart(self) -> str:
        """The chart in words."""
        total = sum(self.days)
        more = " or more" if max(self.days) >= MOST_A_DAY else ""
        return f"{total}{more} in the last {DAYS} days, {self.days[-1]} today"

    @property
    def unnamed_text(self) -> str:
        return f"{self.unnamed:,}{'+' if self.unnamed >= MOST_COUNTED else ''}"


def group_rows(project: Project, groups: Sequence[Group]) -> list[GroupRow]:
    """The groups of a page with what a list says of them: two queries."""
    ids = [group.pk for group in groups]
    days, unnamed = _days(ids), _counts(_UNNAMED, {"groups": ids, "project": project.pk, "most": MOST_COUNTED})
    return [_row(group, days.get(group.pk, [0] * DAYS), unnamed.get(group.pk, 0)) for group in groups]


def set_aside_count(project: Project) -> int:
    """Crashes that processing gave up; of many MOST_COUNTED."""
    rows = Crash.objects.filter(project=project, state=Crash.State.SET_ASIDE)
    return rows.order_by()[:MOST_COUNTED].count()


def commonest(counts: dict[str, int], most: int = _MOST_LABELS) -> list[str]:
    """The names that are counted most often."""
    return sorted(counts, key=lambda name: (-counts[name], name))[:most]


def today(moment: datetime | None = None) -> datetime:
    """When the day began, in UTC."""
    return (moment or timezone.now()).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _days(ids: list[int]) -> dict[int, list[int]]:
    first = today() - timedelta(days=DAYS - 1)
    starts = [first + timedelta(days=number) for number in range(DAYS)]
    found: dict[int, list[int]] = {pk: [0] * DAYS for pk in ids}
    for pk, number, count in _fetched(_BY_DAY, {"groups": ids, "starts": starts, "most": MOST_A_DAY}):
        found[pk][number - 1] = count
    return found


def _counts(statement: str, values: dict[str, Any]) -> dict[int, int]:
    return {row[0]: row[1] for row in _fetched(statement, values)}


def _fetched(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _row(group: Group, days: list[int], unnamed: int) -> GroupRow:
    versions = commonest(group.versions)
    return GroupRow(group, days, unnamed, versions, len(group.versions) - len(versions), commonest(group.platforms))
