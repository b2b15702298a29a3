"""Having crashes processed again, and waiting for the end."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final

from django.db import connection, transaction

from core.database import release
from crashes.models import Crash, Rerun
from crashes.processing.waking import wake

_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.25
ENDED: Final = frozenset({Crash.State.DONE, Crash.State.SET_ASIDE, Crash.State.KEPT})

# The server's clock as it is now, not as it was when the transaction began: a crash that runs is known to have been
# queued again by the time since which it waits being another one.
_QUEUE: Final = """
UPDATE crashes_crash SET
    state = CASE WHEN state = 'running' THEN state ELSE 'pending' END,
    priority = CASE WHEN state = 'pending' THEN least(priority, %(priority)s) ELSE %(priority)s END,
    waiting_since = CASE WHEN state = 'pending' THEN waiting_since ELSE clock_timestamp() END,
    due_at = statement_timestamp(), attempts = 0, rerun_id = coalesce(%(rerun)s, rerun_id)
WHERE id IN (
    SELECT id FROM crashes_crash WHERE id = ANY(%(ids)s) AND state <> 'kept' ORDER BY id FOR UPDATE
)
"""


def queue(crash_ids: Iterable[int], *, priority: int, rerun: Rerun | None) -> int:
    """Have crashes processed again, within the caller's transaction; how many will be.

    One that runs goes on, and runs once more afterwards. One that waits keeps its place, and its priority if that is
    better. Those kept in a format that nobody reads are left alone.
    """
    ids = list(crash_ids)
    parameters: dict[str, Any] = {"ids": ids, "priority": priority, "rerun": None if rerun is None else rerun.pk}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_QUEUE, parameters)
        count = int(cursor.rowcount)
        if count:
            wake()
    return count


def wait_until_done(crash_id: int, seconds: float) -> Crash:
    """The crash once its processing has ended, or as it is after so many seconds.

    Holds no database connection while it waits. Raises Crash.DoesNotExist when it is deleted meanwhile.
    """
    end = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while True:
        crash = Crash.objects.get(pk=crash_id)
        left = end - time.monotonic()
        if crash.state in ENDED or left <= 0:
            return crash
        release()
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
