"""What makes up for whatever was lost: workers, and the time when the database's clock is set."""

from __future__ import annotations

import logging
from typing import Final

from django.db import connection

from crashes.processing.expired import give_back_expired
from crashes.processing.policy import LONGEST_PAUSE
from crashes.processing.waking import QUEUE

log = logging.getLogger(__name__)

# No pause is that long, and what never failed has none: the clock was set back.
_CORRECT: Final = """
UPDATE crashes_crash SET due_at = statement_timestamp()
WHERE state = 'pending'
    AND due_at > statement_timestamp() + make_interval(secs => CASE WHEN attempts = 0 THEN 5 ELSE %s END)
"""

# By which an earlier version woke its workers: hosts are brought up to date one after the other.
_EARLIER: Final = "DELETE FROM procrastinate_jobs WHERE queue_name = %s AND status = 'todo'"


def sweep() -> None:
    """Once a minute, and whenever a worker process starts. It may be run at any time, by many at once."""
    count = give_back_expired()
    if count:
        log.warning("%d crashes lost their worker", count)
    with connection.cursor() as cursor:
        cursor.execute(_CORRECT, [LONGEST_PAUSE])
        cursor.execute(_EARLIER, [QUEUE])
