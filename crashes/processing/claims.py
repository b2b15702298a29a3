"""Whose turn it is.

The project with the fewest crashes running comes first, then new crashes before those that are done again, then the
project that this process has not served for longest, then who waits longest. Times are compared by the database alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from core.postgresql.together import last_row
from crashes.processing.expired import EXPIRED, expired_parameters
from crashes.processing.policy import AGAIN_EVERY, lease_seconds, most_running
from crashes.processing.workforce import worker_processes

_LOCK: Final = 7_303_014_662
_REMEMBERED: Final = 1000

# Whose crashes wait, by priority: found in an index step by step, however many there are.
CLASSES: Final = """
classes (project_id, priority) AS (
    (SELECT project_id, priority FROM crashes_crash WHERE state = 'pending' ORDER BY project_id, priority LIMIT 1)
    UNION ALL
    SELECT next.project_id, next.priority FROM classes CROSS JOIN LATERAL (
        SELECT project_id, priority FROM crashes_crash
        WHERE state = 'pending' AND (project_id, priority) > (classes.project_id, classes.priority)
        ORDER BY project_id, priority LIMIT 1
    ) AS next
)
"""
_ALONE: Final = "SELECT pg_advisory_xact_lock(%s)"
_CLAIM: Final = f"""
WITH RECURSIVE {CLASSES}, running (project_id, number) AS (
    SELECT project_id, count(*) FROM crashes_crash WHERE state = 'running' GROUP BY project_id
), heads AS (
    SELECT classes.project_id, classes.priority
    FROM classes
    LEFT JOIN running USING (project_id)
    LEFT JOIN unnest(%(served)s::bigint[], %(turns)s::bigint[]) AS served (project_id, turn) USING (project_id)
    CROSS JOIN LATERAL (
        SELECT waiting_since FROM crashes_crash
        WHERE state = 'pending' AND project_id = classes.project_id AND priority = classes.priority
            AND due_at <= statement_timestamp()
        ORDER BY due_at, id LIMIT 1
    ) AS head
    WHERE coalesce(number, 0) < %(most)s
    ORDER BY coalesce(number, 0), classes.priority * %(direction)s, coalesce(turn, 0), waiting_since
), picked AS (
    SELECT free.id FROM heads CROSS JOIN LATERAL (
        SELECT id FROM crashes_crash
        WHERE state = 'pending' AND project_id = heads.project_id AND priority = heads.priority
            AND due_at <= statement_timestamp()
        ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AS free
    LIMIT 1
)
UPDATE crashes_crash SET
    state = 'running', attempts = attempts + 1,
    lease_token = %(token)s, lease_until = statement_timestamp() + make_interval(secs => %(lease)s)
FROM picked WHERE crashes_crash.id = picked.id
RETURNING crashes_crash.id, project_id, lease_token, attempts, waiting_since
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to process a crash, for as long as the row names `token`.

    `waiting_since` is what the row said: another time there, at the end, means that the crash was queued once more.
    """

    crash_id: int
    project_id: int
    token: UUID
    attempt: int
    waiting_since: datetime


class _Turns:
    """When this process served which project: the number of its turn."""

    def __init__(self) -> None:
        self.number = 0
        self.served: dict[int, int] = {}

    def next(self) -> int:
        self.number += 1
        return self.number

    def note(self, project_id: int) -> None:
        self.served.pop(project_id, None)
        self.served[project_id] = self.number
        if len(self.served) > _REMEMBERED:
            del self.served[next(iter(self.served))]


_turns: Final = _Turns()


def claim(*, again_first: bool | None = None) -> Claim | None:
    """Take the crash whose turn it is; None when there is none that may run now.

    `again_first` prefers crashes that are done again; by itself every eighth turn of a process does.
    """
    turn = _turns.next()
    prefers_again = turn % AGAIN_EVERY == 0 if again_first is None else again_first
    row = _execute(prefers_again=prefers_again)
    if row is None:
        return None
    claimed = Claim(*row)
    _turns.note(claimed.project_id)
    return claimed


def _execute(*, prefers_again: bool) -> tuple[Any, ...] | None:
    parameters = {
        "served": list(_turns.served.keys()),
        "turns": list(_turns.served.values()),
        "most": most_running(worker_processes()),
        "direction": -1 if prefers_again else 1,
        "token": uuid4(),
        "lease": lease_seconds(),
    }
    # One message and one transaction, which the server ends by itself: a process that stops here stops nobody else. The
    # lock makes the counts exact; each statement sees what was committed before it began.
    return last_row([(_ALONE, (_LOCK,)), (EXPIRED, expired_parameters()), (_CLAIM, parameters)])
