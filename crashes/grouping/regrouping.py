"""Grouping the crashes of a project again from the results that are stored: without symbolication.

A run, window by window. Each crash is a transaction of its own, so that groups are never locked longer than processing
locks them; what was done twice after a kill counts once, as it always does.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

import msgspec
from backports import zstd
from django.db import connection, transaction
from django.db.models import F, Max
from django.utils import timezone

from core.background import defer
from crashes.grouping import assign, grouping, tasks
from crashes.grouping.searched import remember, searched_names
from crashes.models import Crash, Group, Rerun
from crashes.models.crash import TEXT_LENGTH
from crashes.results import Result, unpacked
from projects import audit
from projects.access import Actor
from projects.models import Project

log = logging.getLogger(__name__)

WINDOW: Final = 1_000
# Crashes of all projects that one window passes by at most.
_REACH: Final = 50_000
_AT_ONCE: Final = 50
_WRITTEN: Final = ("group", "fingerprint", "title", "culprit")
_UNREADABLE: Final = (msgspec.DecodeError, zstd.ZstdError)


def start(*, project: Project, actor: Actor, reason: str = "by hand") -> Rerun:
    """Have all crashes that a project has now grouped again; the run that does it already, if there is one."""
    with transaction.atomic():
        # Two who start one at once start one.
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        running = Rerun.objects.filter(project=project, kind=Rerun.Kind.REGROUP, state=Rerun.State.RUNNING).first()
        if running is not None:
            return running
        with_result = Crash.objects.filter(project=project, result__isnull=False)
        made = Rerun.objects.create(
            project=project,
            kind=Rerun.Kind.REGROUP,
            reason=reason,
            chosen={"last": with_result.aggregate(last=Max("pk"))["last"] or 0},
            total=with_result.count(),
            user_id=actor.user_id,
        )
        audit.record(
            organization=project.organization,
            project=project,
            actor=actor,
            action="crashes.regrouped",
            target=str(made.pk),
            data={"rerun": made.pk, "total": made.total},
        )
        advance_later(made.pk)
    return made


def advance_later(rerun_id: int) -> None:
    """Have a job go on with a run; one at most waits."""
    defer(tasks.regroup, queueing_lock=f"regroup-{rerun_id}", rerun_id=rerun_id)


def advance(rerun_id: int) -> bool:
    """Group the next window of a run; False when it has ended."""
    rerun = Rerun.objects.filter(pk=rerun_id, kind=Rerun.Kind.REGROUP, state=Rerun.State.RUNNING).first()
    if rerun is None:
        return False
    last = int(rerun.chosen["last"])
    ids, cursor = _next(rerun, last)
    seen: dict[int, set[tuple[str, str]]] = {}
    for changed in _changed(ids, seen):
        _regroup(changed)
    for group_id, names in seen.items():
        _remember(rerun.project_id, group_id, names)
    return _go_on(rerun, cursor, len(ids), ended=cursor >= last)


def tend() -> None:
    """Go on with the runs whose job was lost."""
    going_on = Rerun.objects.filter(kind=Rerun.Kind.REGROUP, state=Rerun.State.RUNNING)
    for pk in going_on.values_list("pk", flat=True):
        advance_later(pk)


def _next(rerun: Rerun, last: int) -> tuple[list[int], int]:
    reach = min(last, rerun.cursor + _REACH)
    rows = Crash.objects.filter(project_id=rerun.project_id, pk__gt=rerun.cursor, pk__lte=reach, result__isnull=False)
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:WINDOW])
    return ids, ids[-1] if len(ids) == WINDOW else reach


def _go_on(rerun: Rerun, cursor: int, count: int, *, ended: bool) -> bool:
    # Another worker that was thought dead may have done the same window.
    mine = Rerun.objects.filter(pk=rerun.pk, cursor=rerun.cursor, state=Rerun.State.RUNNING)
    if not ended:
        return bool(mine.update(cursor=cursor, queued=F("queued") + count))
    now = timezone.now()
    mine.update(cursor=cursor, queued=F("queued") + count, state=Rerun.State.DONE, finished_at=now)
    return False


def _changed(ids: list[int], seen: dict[int, set[tuple[str, str]]]) -> Iterator[int]:
    """Those that are called or grouped otherwise by now: most are not, and cost no lock.

    What the others are found by is put into `seen`, by their groups.
    """
    for start_ in range(0, len(ids), _AT_ONCE):
        for crash in Crash.objects.filter(pk__in=ids[start_ : start_ + _AT_ONCE]).select_related("result"):
            result = _result(crash)
            if result is None:
                continue
            if crash.group_id is None or _differs(crash, result):
                yield crash.pk
            else:
                seen.setdefault(crash.group_id, set()).update(searched_names(result))


@transaction.atomic
def _remember(project_id: int, group_id: int, names: set[tuple[str, str]]) -> None:
    """Have the group found by what its crashes from before such searches were stored without."""
    if Group.objects.select_for_update().filter(pk=group_id).exists():
        remember(project_id, group_id, names)


def _differs(crash: Crash, result: Result) -> bool:
    found = grouping(crash, result)
    expected = (found.fingerprint, found.title[:TEXT_LENGTH], found.culprit[:TEXT_LENGTH])
    return (crash.fingerprint, crash.title, crash.culprit) != expected


@transaction.atomic
def _regroup(crash_id: int) -> None:
    with connection.cursor() as cursor:
        # The run's cursor is committed durably after these, and so are they with it.
        cursor.execute("SET LOCAL synchronous_commit TO off")
    locked = Crash.objects.select_for_update(of=("self",)).select_related("result")
    crash = locked.filter(pk=crash_id, result__isnull=False).first()
    result = None if crash is None else _result(crash)
    if crash is not None and result is not None:
        assign(crash, result, crash)
        crash.save(update_fields=_WRITTEN)


def _result(crash: Crash) -> Result | None:
    try:
        return unpacked(crash.result.body)
    except _UNREADABLE as error:
        log.warning("the result of crash %d cannot be read: %s", crash.pk, error)
        return None
