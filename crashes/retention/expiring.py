"""Which crashes go: those older than their project keeps them, and the oldest of those that are too many or too large.

Every window is looked for anew, so that an interrupted round goes on where it was. What is being processed is left for
the next round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from crashes.models import Crash, CrashRules, Group
from crashes.retention.deleting import WINDOW, delete_window
from crashes.rules import Rules, default_rules, merged
from projects.access import SYSTEM
from projects.models import Project

# So many windows of a project in one round; then it is the next one's turn.
WINDOWS: Final = 10
_IDLE: Final = ~Q(state=Crash.State.RUNNING)

# Newest first, the sizes are added up; what lies beyond the sum goes, the oldest first.
_BEYOND_BYTES: Final = """
    SELECT id FROM (
        SELECT c.id, c.received_at, c.state,
            sum(c.stored_bytes + coalesce(octet_length(r.body), 0))
                OVER (ORDER BY c.received_at DESC, c.id DESC) AS total
        FROM crashes_crash c LEFT JOIN crashes_crashresult r ON r.crash_id = c.id
        WHERE c.project_id = %s
    ) sized
    WHERE total > %s AND state <> 'running'
    ORDER BY received_at, id LIMIT %s
"""
_USED_BYTES: Final = """
    SELECT coalesce(sum(c.stored_bytes + coalesce(octet_length(r.body), 0)), 0)
    FROM crashes_crash c LEFT JOIN crashes_crashresult r ON r.crash_id = c.id
    WHERE c.project_id = %s
"""

Finder = Callable[[Project, Rules, datetime], list[int]]


def delete_expired(now: datetime | None = None) -> tuple[int, bool]:
    """One round over all projects, at most 5,000 crashes of each: how many were deleted, and whether more are left."""
    moment, count, more = now or timezone.now(), 0, False
    for project, rules in _ruled():
        deleted, left = expire(project, rules, moment)
        count, more = count + deleted, more or left
        forget_groups(project, rules, moment)
    return count, more


def expire(project: Project, rules: Rules, now: datetime) -> tuple[int, bool]:
    """Delete what a project does not keep any more, window by window: how many, and whether more is left."""
    count = windows = 0
    for reason, find in _FINDERS:
        while ids := find(project, rules, now):
            if windows == WINDOWS:
                return count, True
            deleted = delete_window(project, ids, SYSTEM, "crash.expired", _IDLE, {"reason": reason})
            count, windows = count + deleted, windows + 1
            if not deleted or len(ids) < WINDOW:
                break
    return count, False


def forget_groups(project: Project, rules: Rules, now: datetime) -> None:
    """Delete groups that have had no crash for as long as crashes are kept. At most 500; the next round goes on."""
    if rules.keep_days is None:
        return
    last = now - timedelta(days=rules.keep_days)
    empty = ~Exists(Crash.objects.filter(group=OuterRef("pk")))
    with transaction.atomic():
        old = Group.objects.filter(empty, project=project, last_seen__lt=last).order_by("pk")
        locked = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:WINDOW])
        # Asked once more under the lock: a crash may have come meanwhile.
        Group.objects.filter(empty, pk__in=locked).delete()


def used_bytes(project: Project) -> int:
    """What the project's crashes take: reports, attachments and results."""
    with connection.cursor() as cursor:
        cursor.execute(_USED_BYTES, [project.pk])
        return int(cursor.fetchone()[0])


def _ruled() -> Iterator[tuple[Project, Rules]]:
    default = default_rules()
    own = {row.project_id: row for row in CrashRules.objects.all()}
    held = Q(Exists(Crash.objects.filter(project=OuterRef("pk")))) | Q(
        Exists(Group.objects.filter(project=OuterRef("pk")))
    )
    for project in Project.objects.filter(held).select_related("organization").order_by("pk").iterator(WINDOW):
        yield project, merged(own[project.pk]) if project.pk in own else default


def _too_old(project: Project, rules: Rules, now: datetime) -> list[int]:
    if rules.keep_days is None:
        return []
    old = Crash.objects.filter(_IDLE, project=project, received_at__lt=now - timedelta(days=rules.keep_days))
    return list(old.order_by("received_at", "id").values_list("pk", flat=True)[:WINDOW])


def _too_many(project: Project, rules: Rules, _now: datetime) -> list[int]:
    if rules.most_crashes is None:
        return []
    newest = Crash.objects.filter(project=project).order_by("-received_at", "-id").values_list("received_at", "pk")
    last = newest[rules.most_crashes - 1 : rules.most_crashes].first()
    if last is None:
        return []
    older = Q(received_at__lt=last[0]) | Q(received_at=last[0], pk__lt=last[1])
    beyond = Crash.objects.filter(_IDLE, older, project=project)
    return list(beyond.order_by("received_at", "id").values_list("pk", flat=True)[:WINDOW])


def _too_large(project: Project, rules: Rules, _now: datetime) -> list[int]:
    if rules.most_bytes is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_BEYOND_BYTES, [project.pk, rules.most_bytes, WINDOW])
        return [pk for (pk,) in cursor.fetchall()]


_FINDERS: Final[tuple[tuple[str, Finder], ...]] = (
    ("age", _too_old),
    ("count", _too_many),
    ("bytes", _too_large),
)
