"""What the endpoints of runs and of lacked files take and answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.utils import timezone

from core.openapi import ArrayOf
from crashes.again.choosing import Chosen, plan_of
from crashes.again.lacking import LackedRow
from crashes.again.reruns import ENDED, WAITING
from crashes.models import Crash, Rerun


class RerunRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Which crashes are processed again, and why; without `filter` all of the project's."""

    filter: Chosen = Chosen()
    reason: str = ""


class RerunProgress(msgspec.Struct, rename="camel"):
    """A run over many crashes.

    `total` crashes were meant when it began; `queued` have been put into the queue so far, of which `waiting` are still
    to be processed, `failed` were set aside and `done` are done. A run of kind `regroup` only counts. `estimatedEnd` is
    when it ends if it goes on as fast as so far; null where nothing can be said.
    """

    id: int
    kind: str
    state: str
    reason: str
    total: int
    queued: int
    waiting: int
    done: int
    failed: int
    started_at: datetime
    finished_at: datetime | None
    estimated_end: datetime | None
    filter: Chosen | None


class RerunsProgress(ArrayOf):
    item = RerunProgress


class LackedFileView(msgspec.Struct, rename="camel"):
    """A file that crashes lack. `crashes` is how many; each would be processed again if it came.

    `cause` is why it was not found, `remedy` what to do about it. `nextProbeAt` is when the project's sources are asked
    for it again by themselves; null where only an upload can bring it, or where it was given up (`givenUp`) because no
    crash has missed it for weeks.
    """

    id: int
    kind: str
    name: str
    debug_id: str
    code_id: str
    release: str
    dist: str
    crashes: int
    newest_crash: int
    newest_crash_at: datetime
    cause: str
    remedy: str
    missed_since: datetime
    probes: int
    next_probe_at: datetime | None
    given_up: bool


class LackedFileViews(ArrayOf):
    item = LackedFileView


def lacked_view(row: LackedRow) -> LackedFileView:
    file = row.file
    cause, remedy = (file.cause, file.remedy) if file.remedy else _GENERAL.get(file.kind, _ANY)
    return LackedFileView(
        id=file.pk,
        kind=file.kind,
        name=file.name,
        debug_id=file.debug_id,
        code_id=file.code_id,
        release=file.release,
        dist=file.dist,
        crashes=row.crashes,
        newest_crash=row.newest,
        newest_crash_at=row.newest_at,
        cause=cause,
        remedy=remedy,
        missed_since=file.first_missed_at,
        probes=file.probes,
        next_probe_at=file.next_probe_at,
        given_up=file.next_probe_at is None and file.probes > 0,
    )


_ANY = ("Neither the uploads nor the sources of the project have this file.", "Upload the file of exactly this build.")
_GENERAL: dict[str, tuple[str, str]] = {
    "source_map": (
        "Neither the script nor its source map is among what was uploaded.",
        "Upload the script and its source map: with debug ids, or for this release and dist.",
    ),
    "mapping": (
        "The mapping of ProGuard or R8 with this id was not uploaded.",
        "Upload the mapping of this build under the id that the build wrote into the application.",
    ),
}


def progress(rerun: Rerun) -> RerunProgress:
    """How far a run is now."""
    waiting = failed = 0
    if rerun.kind == Rerun.Kind.PROCESS and rerun.state != Rerun.State.DONE:
        waiting = Crash.objects.filter(rerun=rerun, state__in=WAITING).count()
    if rerun.kind == Rerun.Kind.PROCESS:
        failed = Crash.objects.filter(rerun=rerun, state=Crash.State.SET_ASIDE).count()
    done = max(0, rerun.queued - waiting - failed)
    ended = rerun.state == Rerun.State.QUEUED and not waiting
    return RerunProgress(
        id=rerun.pk,
        kind=rerun.kind,
        state=Rerun.State.DONE.value if ended else rerun.state,
        reason=rerun.reason,
        total=max(rerun.total, rerun.queued),
        queued=rerun.queued,
        waiting=waiting,
        done=done,
        failed=failed,
        started_at=rerun.created_at,
        finished_at=rerun.finished_at,
        estimated_end=None if ended or rerun.state in ENDED else _estimate(rerun, done + failed),
        filter=_filter(rerun),
    )


def _filter(rerun: Rerun) -> Chosen | None:
    return plan_of(rerun).chosen if rerun.kind == Rerun.Kind.PROCESS else None


def _estimate(rerun: Rerun, done: int) -> datetime | None:
    now: Any = timezone.now()
    if not done or rerun.total <= done:
        return None
    seconds = (now - rerun.created_at).total_seconds() / done * (rerun.total - done)
    ends: datetime = now + timedelta(seconds=seconds)
    return ends
