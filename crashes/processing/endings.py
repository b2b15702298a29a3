"""How a try ends. Each does nothing when the lease is another's by now."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection, transaction

from core.text import storable
from crashes.processing.claims import Claim
from crashes.processing.policy import FIRST_PAUSE, LONGEST_PAUSE, most_tries
from crashes.processing.waking import wake
from crashes.scrubbing import scrub
from engine.errors import SymbolsvcError

_PROBLEM_LENGTH: Final = 1000
# A crash that was queued again while it ran starts afresh.
OWN: Final = "WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'"
QUEUED_AGAIN: Final = "waiting_since <> %(waiting_since)s"
_PUT_BACK: Final = f"""
UPDATE crashes_crash SET
    state = CASE WHEN {QUEUED_AGAIN} OR attempts < %(tries)s OR NOT %(counted)s THEN 'pending' ELSE 'set_aside' END,
    attempts = CASE WHEN {QUEUED_AGAIN} THEN 0 WHEN %(counted)s THEN attempts ELSE greatest(attempts - 1, 0) END,
    due_at = statement_timestamp() + make_interval(secs => CASE WHEN {QUEUED_AGAIN} THEN 0 ELSE %(pause)s END),
    lease_token = NULL, lease_until = NULL, problem = %(problem)s
{OWN} RETURNING state
"""  # noqa: S608 - constants
_SET_ASIDE: Final = f"""
UPDATE crashes_crash SET
    state = CASE WHEN {QUEUED_AGAIN} THEN 'pending' ELSE 'set_aside' END,
    lease_token = NULL, lease_until = NULL, problem = %(problem)s
{OWN} RETURNING state
"""  # noqa: S608 - constants


def problem_of(error: Exception) -> str:
    """What people are told of a failure: its kind and message, without secrets."""
    said = error.message if isinstance(error, SymbolsvcError) else str(error)
    text = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return storable(str(scrub(text)))[:_PROBLEM_LENGTH]


def pause_after(attempt: int) -> int:
    """Seconds until the next try: 10, 40, 160 … an hour at most."""
    return int(min(FIRST_PAUSE * 4 ** (min(attempt, 12) - 1), LONGEST_PAUSE))


def put_back(claim: Claim, problem: str, *, counted: bool = True) -> str | None:
    """Have the crash tried again after a pause, or set it aside after its last try; its state, None when not ours.

    A try that is not `counted` was ended by something else than the crash.
    """
    pause = pause_after(claim.attempt) if counted else 1
    with transaction.atomic():
        state = _execute(_PUT_BACK, claim, problem=problem, tries=most_tries(), counted=counted, pause=pause)
        if state == "pending":
            wake()
    return state


def set_aside(claim: Claim, problem: str) -> str | None:
    """Leave the crash to people: no try can help. Its state; None when it is not ours."""
    with transaction.atomic():
        state = _execute(_SET_ASIDE, claim, problem=problem)
        if state == "pending":
            wake()
    return state


def _execute(statement: str, claim: Claim, **more: Any) -> str | None:
    own: dict[str, Any] = {"id": claim.crash_id, "token": claim.token, "waiting_since": claim.waiting_since}
    with connection.cursor() as cursor:
        cursor.execute(statement, {**own, **more})
        row = cursor.fetchone()
    return None if row is None else str(row[0])
