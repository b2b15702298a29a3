"""Deleting what nobody has used for as long as its project keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from debugfiles.retention.holdings import KINDS, Kind, remove
from debugfiles.retention.policy import Policy, kept_for
from projects.access import SYSTEM
from projects.models import Project

WINDOW: Final = 1_000


def delete_expired(now: datetime | None = None) -> int:
    """Delete what has expired by `now`, at most 1,000 rows in one transaction; how many there were."""
    moment, count = now or timezone.now(), 0
    for scope, days in kept_for():
        for kind in KINDS:
            expired = scope & kind.unused_since(moment - timedelta(days=days))
            count += sum(_delete(kind, expired, window) for window in _windows(kind, expired))
    return count


def next_expiry(project: Project, policy: Policy) -> datetime | None:
    """When the first of the project's uploads goes if nobody uses it again; None for never."""
    rows = (kind.rows(Q(project=project)).aggregate(first=Min(kind.column("last_used"))) for kind in KINDS)
    first = min((row["first"] for row in rows if row["first"] is not None), default=None)
    return None if first is None else policy.expires_at(first)


def _windows(kind: Kind, expired: Q) -> Iterator[dict[int, list[int]]]:
    """Keys of rows by project. What could not be deleted is not met again."""
    after = 0
    while found := list(
        kind.rows(expired, Q(pk__gt=after)).order_by("pk").values_list("project_id", "pk")[:WINDOW],
    ):
        after = found[-1][1]
        yield {pk: [row for _, row in rows] for pk, rows in groupby(sorted(found), key=lambda row: row[0])}


def _delete(kind: Kind, expired: Q, window: dict[int, list[int]]) -> int:
    count = 0
    for project in Project.objects.filter(pk__in=window).select_related("organization").order_by("pk"):
        with transaction.atomic():
            # Looked at once more under the lock: somebody may have used it since.
            things = kind.locked(expired, Q(pk__in=window[project.pk]))
            if things:
                remove(project, SYSTEM, kind, things, "expired")
        count += len(things)
    return count
