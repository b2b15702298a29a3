"""Runs over many crashes, window by window.

A window is one transaction: the crashes, the cursor and the count change together, so a run that is killed goes on
where it was. A run keeps a bounded number of crashes waiting; the rest follows as these are done.
"""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from core.api import ApiError
from core.background import defer
from crashes.again import tasks
from crashes.again.choosing import Chosen, Plan, check, next_ids, plan_of, still_meant, total
from crashes.again.queueing import AGAIN
from crashes.models import Crash, Rerun
from crashes.processing.queueing import queue
from projects import audit
from projects.access import Actor
from projects.models import Project

WINDOW: Final = 1_000
# Of one run; ten windows are more than the workers do in the minute until somebody looks again.
MOST_WAITING: Final = 10_000
WAITING: Final = (Crash.State.PENDING, Crash.State.RUNNING)
ENDED: Final = (Rerun.State.DONE, Rerun.State.CANCELLED)
_REASON_LENGTH: Final = 500
_MOST_RUNNING: Final = 100


def start(*, project: Project, actor: Actor, chosen: Chosen, reason: str = "") -> Rerun:
    """Have the chosen crashes processed again. Raises ApiError (400; 429 while as many runs go on as may)."""
    check(chosen)
    last = Crash.objects.filter(project=project).aggregate(last=Max("pk"))["last"] or 0
    with transaction.atomic():
        going_on = Rerun.objects.filter(project=project, kind=Rerun.Kind.PROCESS, state=Rerun.State.RUNNING)
        if going_on.count() >= _MOST_RUNNING:
            raise ApiError("Wait until other runs of this project have ended.", status=429, code="too_many_runs")
        made = begin(project.pk, Plan(chosen=chosen, last=last), reason or "by hand", user_id=actor.user_id)
        data = {"rerun": made.pk, "total": made.total}
        _audit("crashes.processed_again", made, actor, data)
    return made


def cancel(*, rerun: Rerun, actor: Actor) -> Rerun:
    """Queue no more of a run's crashes; those that wait already are processed."""
    with transaction.atomic():
        locked = Rerun.objects.select_for_update().get(pk=rerun.pk)
        if locked.state not in ENDED:
            locked.state, locked.finished_at = Rerun.State.CANCELLED, timezone.now()
            locked.save(update_fields=["state", "finished_at"])
            _audit("crashes.rerun_cancelled", locked, actor, {"rerun": locked.pk})
    return locked


def begin(project_id: int, plan: Plan, reason: str, *, user_id: int | None = None) -> Rerun:
    """A run, and the job that begins it, in the caller's transaction."""
    made = Rerun.objects.create(
        project_id=project_id,
        kind=Rerun.Kind.PROCESS,
        reason=reason[:_REASON_LENGTH],
        chosen=plan.json(),
        total=total(project_id, plan),
        user_id=user_id,
    )
    advance_later(made.pk)
    return made


def advance_later(rerun_id: int) -> None:
    """Have a job go on with a run; one at most waits."""
    defer(tasks.advance, queueing_lock=f"rerun-{rerun_id}", rerun_id=rerun_id)


def advance(rerun_id: int) -> bool:
    """Queue the next window of a run; False when it has ended, or enough of its crashes wait."""
    with transaction.atomic():
        rerun = Rerun.objects.select_for_update().filter(pk=rerun_id, state=Rerun.State.RUNNING).first()
        if rerun is None or rerun.kind != Rerun.Kind.PROCESS or waiting(rerun) > MOST_WAITING - WINDOW:
            return False
        plan = plan_of(rerun)
        ids, cursor = next_ids(rerun, plan, WINDOW)
        rerun.queued += _queue(ids, plan, rerun)
        rerun.cursor = cursor if cursor is not None else max([rerun.cursor, *ids])
        if cursor is None:
            rerun.state = Rerun.State.QUEUED
        rerun.save(update_fields=["queued", "cursor", "state"])
    return cursor is not None


def close_finished() -> None:
    """Mark the runs as done none of whose crashes wait any more."""
    for rerun in Rerun.objects.filter(kind=Rerun.Kind.PROCESS, state=Rerun.State.QUEUED):
        if not waiting(rerun):
            mine = Rerun.objects.filter(pk=rerun.pk, state=Rerun.State.QUEUED)
            mine.update(state=Rerun.State.DONE, finished_at=timezone.now(), total=F("queued"))


def waiting(rerun: Rerun) -> int:
    """Its crashes that are still to be processed."""
    return Crash.objects.filter(rerun=rerun, state__in=WAITING).count()


def _queue(ids: list[int], plan: Plan, rerun: Rerun) -> int:
    """Lock the crashes, in the order in which everybody does, and queue what is still meant then."""
    list(Crash.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))
    meant = still_meant(ids, plan)
    return queue(meant, priority=AGAIN, rerun=rerun) if meant else 0


def _audit(action: str, rerun: Rerun, actor: Actor, data: dict[str, int]) -> None:
    project = rerun.project
    audit.record(
        organization=project.organization,
        project=project,
        actor=actor,
        action=action,
        target=str(rerun.pk),
        data=data,
    )
