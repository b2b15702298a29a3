"""Crashes whose worker died or was silent for longer than its lease."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

from crashes.processing.policy import FIRST_PAUSE, LONGEST_LEASE, LONGEST_PAUSE, most_tries

_PROBLEM: Final = "The worker process ended, or said nothing for longer than its lease, while it had this report."

# Once is the worker's fault, mostly: the crash goes on at once. From then on it is suspected itself, and pauses.
EXPIRED: Final = """
UPDATE crashes_crash SET
    state = CASE WHEN attempts >= %(tries)s THEN 'set_aside' ELSE 'pending' END,
    lease_token = NULL, lease_until = NULL, problem = %(problem)s,
    due_at = statement_timestamp() + CASE WHEN attempts <= 1 THEN interval '0' ELSE make_interval(
        secs => least(%(first_pause)s * power(4, least(attempts, 12) - 2), %(longest_pause)s)) END
WHERE id IN (
    SELECT id FROM crashes_crash
    WHERE state = 'running' AND (
        lease_until < statement_timestamp()
        OR lease_until > statement_timestamp() + make_interval(secs => %(longest_lease)s))
    ORDER BY id FOR UPDATE SKIP LOCKED
)
"""


def expired_parameters() -> dict[str, Any]:
    return {
        "tries": most_tries(),
        "problem": _PROBLEM,
        "first_pause": FIRST_PAUSE,
        "longest_pause": LONGEST_PAUSE,
        "longest_lease": LONGEST_LEASE,
    }


def give_back_expired() -> int:
    """Put such crashes back, or aside when they did that to every try; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(EXPIRED, expired_parameters())
        return int(cursor.rowcount)
