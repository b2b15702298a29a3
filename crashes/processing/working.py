"""Processing one crash, from its claim to its end."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models.functions import Now

from core.database import release
from core.metrics.declared import process_seconds, processed
from crashes.again import Revisions, look_once_more, record
from crashes.grouping import assign
from crashes.models import Crash, CrashResult
from crashes.processing.claims import Claim
from crashes.processing.endings import finish, problem_of, put_back, set_aside
from crashes.processing.holding import held
from crashes.processing.persistence import is_passing, surely
from crashes.processing.policy import try_seconds
from crashes.reports import Outcome, UnreadableReport, examine
from crashes.results import packed
from engine.outgoing import Deadline

log = logging.getLogger(__name__)

_FACTS: Final = ("platform", "version", "os_name", "arch", "frame_count", "unnamed_count")
_WRITTEN: Final = (
    *_FACTS,
    "group",
    "fingerprint",
    "title",
    "culprit",
)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A crash as it was when the work began, and how new its project's files and sources were."""

    crash: Crash
    files_revision: int
    sources_revision: int


def process(claim: Claim) -> None:
    """Do what is claimed and store what comes of it, if the claim is still good then.

    Failures end in the crash's row: it is tried again after a pause, or set aside. Raises DatabaseError when the
    database is away for too long: the lease runs out then, and another one does it.
    """
    try:
        taken = surely(partial(_take, claim))
        release()
        if taken is not None:
            _try(claim, taken)
    finally:
        release()


def _try(claim: Claim, taken: _Taken) -> None:
    try:
        with process_seconds.time(), held(claim, partial(_give_up, claim)):
            outcome = examine(taken.crash, Deadline.after(try_seconds()))
            _store(claim, taken, outcome)
        processed.labels("done").inc()
    except UnreadableReport as error:
        processed.labels("set_aside").inc()
        problem = problem_of(error)
        log.warning("crash %d is set aside: %s", claim.crash_id, problem)
        surely(partial(set_aside, claim, problem))
    except Exception as error:  # noqa: BLE001 - whatever it is, the crash says so and is tried again
        problem = problem_of(error)
        log.warning("try %d of crash %d failed: %s", claim.attempt, claim.crash_id, problem)
        state = surely(partial(put_back, claim, problem, counted=not is_passing(error)))
        processed.labels("set_aside" if state == "set_aside" else "put_back").inc()


def _give_up(claim: Claim) -> None:
    surely(partial(put_back, claim, f"It did not end within {try_seconds()} s."))


def _take(claim: Claim) -> _Taken | None:
    found = Crash.objects.select_related("project__organization")
    crash = found.filter(pk=claim.crash_id, lease_token=claim.token, state=Crash.State.RUNNING).first()
    if crash is None:
        return None
    project = crash.project
    return _Taken(crash, project.files_revision, project.sources_revision)


def _store(claim: Claim, taken: _Taken, outcome: Outcome) -> None:
    crash = surely(partial(_commit, claim, taken, outcome))
    if crash is None:
        log.warning("the result of crash %d came too late and is dropped", claim.crash_id)
        return
    if outcome.lacks:
        surely(partial(look_once_more, crash, taken.files_revision, taken.sources_revision))


@transaction.atomic
def _commit(claim: Claim, taken: _Taken, outcome: Outcome) -> Crash | None:
    """Store all that came of a crash; None when the lease is another's by now."""
    owned = Crash.objects.select_for_update(of=("self",)).select_related("project")
    crash = owned.filter(pk=claim.crash_id, lease_token=claim.token, state=Crash.State.RUNNING).first()
    if crash is None:
        return None
    CrashResult.objects.update_or_create(crash=crash, defaults={"body": packed(outcome.result), "made_at": Now()})
    for name in _FACTS:
        setattr(crash, name, getattr(outcome.facts, name))
    record(crash, outcome.lacks, Revisions(taken.files_revision, taken.sources_revision))
    assign(crash, outcome.result, outcome.facts)
    crash.save(update_fields=_WRITTEN)
    finish(claim)
    return crash
