"""Processing one crash, from its claim to its end."""

from __future__ import annotations

import logging
from functools import partial

from core.database import release
from core.metrics.declared import process_seconds, processed
from crashes.again import Revisions, look_once_more
from crashes.models import Crash
from crashes.processing.claims import Claim
from crashes.processing.committing import commit
from crashes.processing.endings import problem_of, put_back, set_aside
from crashes.processing.holding import held
from crashes.processing.persistence import is_passing, surely
from crashes.processing.policy import try_seconds
from crashes.processing.taking import take
from crashes.reports import Outcome, UnreadableReport, examine
from engine.outgoing import Deadline

log = logging.getLogger(__name__)


def process(claim: Claim) -> None:
    """Do what is claimed and store what comes of it, if the claim is still good then.

    Failures end in the crash's row: it is tried again after a pause, or set aside. Raises DatabaseError when the
    database is away for too long: the lease runs out then, and another one does it.
    """
    try:
        taken = surely(partial(take, claim))
        release()
        if taken is not None:
            _try(claim, *taken)
    finally:
        release()


def _try(claim: Claim, crash: Crash, seen: Revisions) -> None:
    try:
        with process_seconds.time(), held(claim, partial(_give_up, claim)):
            outcome = examine(crash, Deadline.after(try_seconds()))
            _store(claim, crash, seen, outcome)
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


def _store(claim: Claim, crash: Crash, seen: Revisions, outcome: Outcome) -> None:
    if not surely(partial(commit, claim, crash, seen, outcome)):
        log.warning("the result of crash %d came too late and is dropped", claim.crash_id)
        return
    if outcome.lacks:
        surely(partial(look_once_more, crash, seen.files, seen.sources))
