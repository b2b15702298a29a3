"""Jobs as hints: each says that there is a crash to be processed, and names none.

A hint too many finds nothing to do. One too few is made up for: whoever ends a crash looks whether more crashes wait
than hints, and so does the sweep.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.tasks import configure_task

from core.database import shared_now

QUEUE: Final = "crashes"
# By name: the task stands above all that gives hints, and a web process need not load what works.
TASK: Final = "crashes.processing.tasks.work"
_LATER: Final = "crashes later"
MOST: Final = 64

_NEEDED: Final = """
SELECT least(
    (SELECT count(*) FROM (
        SELECT 1 FROM crashes_crash WHERE state = 'pending' AND due_at <= statement_timestamp()
        LIMIT %(most)s) AS crashes)
    - (SELECT count(*) FROM (
        SELECT 1 FROM procrastinate_jobs
        WHERE queue_name = %(queue)s AND status = 'todo'
            AND (scheduled_at IS NULL OR scheduled_at <= statement_timestamp())
        LIMIT %(most)s) AS jobs),
    %(most)s)
"""


def hint(count: int = 1, *, after: int = 0) -> None:
    """Have `count` worker processes look for crashes, once the transaction around is committed, after some seconds."""
    if count <= 0:
        return
    # By the clock that takes jobs from the queue: a host whose own is slow would look again and again.
    start = shared_now() + timedelta(seconds=after) if after else None
    job = configure_task(name=TASK, job_manager=app.job_manager, queue=QUEUE, schedule_at=start)
    job.batch_defer(*({} for _ in range(min(count, MOST))))


def hint_later(seconds: int) -> None:
    """Have one worker process look after so many seconds, unless one is to already."""
    job = configure_task(
        name=TASK,
        job_manager=app.job_manager,
        queue=QUEUE,
        queueing_lock=_LATER,
        schedule_at=shared_now() + timedelta(seconds=seconds),
    )
    try:
        with transaction.atomic():
            job.defer()
    except AlreadyEnqueued:
        return


def lacking() -> int:
    """How many more crashes wait than hints, as far as it matters."""
    with connection.cursor() as cursor:
        cursor.execute(_NEEDED, {"most": MOST, "queue": QUEUE})
        (needed,) = cursor.fetchone()
    return max(0, int(needed))


def refill(most: int = MOST) -> int:
    """Make up for hints that are missing, up to `most`; how many there were."""
    missing = min(lacking(), most)
    hint(missing)
    return missing
