"""Background jobs, on the same PostgreSQL. The row is the truth, the job a hint.

A room's tasks stand in its `tasks.py`, which is found by itself:

    @task(queue="maintenance")
    def recount(*, project_id: int) -> None: ...

    @periodic("*/5 * * * *")
    def sweep(timestamp: int) -> None: ...

    defer(recount, project_id=3)

A task takes ids, never data, and may run twice: it looks at its row first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, Final, ParamSpec
from uuid import uuid4

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import transaction
from procrastinate import App, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation
from procrastinate.jobs import Status
from procrastinate.tasks import Task

from core.database import release
from core.quiet import QuietConnector

P = ParamSpec("P")

MAINTENANCE: Final = "maintenance"
# Tried again after 1, 5, 25, 125 and 625 seconds and so on; what still fails then stays in the table with its error.
RETRY: Final = RetryStrategy(max_attempts=6, exponential_wait=5)

HEARTBEAT_SECONDS: Final = 10.0
STALLED_SECONDS: Final = 40.0
_NEVER_SECONDS: Final = 3600.0
_FAILED_KEPT_HOURS: Final = 24 * 14


def task(
    *, queue: str = MAINTENANCE, queueing_lock: str | None = None, lock: str | None = None, retry: RetryStrategy = RETRY
) -> Callable[[Callable[P, None]], Task[P, None, P]]:
    """Make a function a task. With `queueing_lock` it waits at most once, with `lock` it runs at most once at a time.

    Raises ValueError for both: after a kill the two wait for each other.
    """
    if queueing_lock is not None and lock is not None:
        raise ValueError("A task has a queueing_lock or a lock, never both.")
    return app.task(queue=queue, queueing_lock=queueing_lock, lock=lock, retry=retry)


def periodic(cron: str, *, queue: str = MAINTENANCE) -> Callable[[Callable[[int], None]], Task[..., None, ...]]:
    """Make a function of one argument, `timestamp` (seconds), a task that runs at the times of `cron`."""

    def register(function: Callable[[int], None]) -> Task[..., None, ...]:
        name = f"{function.__module__}.{function.__qualname__}"

        # The library gives the time by this name, whatever the function calls it.
        @wraps(function)
        def run_due(timestamp: int) -> None:
            function(timestamp)

        # Without another attempt: one that waits for it would keep out all that are due until then.
        made: Task[..., None, ...] = app.task(queue=queue, queueing_lock=name)(run_due)
        app.periodic(cron=cron)(made)
        return made

    return register


def defer(
    work: Task[..., Any, Any], *, queueing_lock: str | None = None, lock: str | None = None, **ids: int | str
) -> bool:
    """Have a task run, once the transaction around this call is committed. False when it already waits to.

    The clash with a waiting one is kept in a savepoint: it undoes nothing of what the caller wrote.
    """
    if queueing_lock is not None and lock is not None:
        raise ValueError("A job has a queueing_lock or a lock, never both.")
    configured = work.configure(
        queueing_lock=queueing_lock or work.queueing_lock,
        lock=lock or work.lock,
    )
    try:
        with transaction.atomic():
            configured.defer(**ids)
    except AlreadyEnqueued:
        return False
    return True


def run(queues: list[str]) -> None:
    """Run the jobs of these queues, one at a time, until SIGTERM."""
    asyncio.run(_run(queues, wait=True))


def run_waiting(queues: list[str]) -> None:
    """Run the jobs that wait in these queues, in the calling thread, and return."""
    async_to_sync(_run)(queues, wait=False)


def application_prefix(queues: str) -> str:
    """How the names begin by which the database knows the processes that run the jobs of these queues."""
    return f"symbolsvc jobs {queues} "


async def _run(queues: list[str], *, wait: bool) -> None:
    # One connection to listen, one to work: the database's are few.
    named = {**connector_params(), "application_name": application_prefix(",".join(queues)) + uuid4().hex[:12]}
    connector = QuietConnector(kwargs=named, min_size=1, max_size=3, max_idle=settings.IDLE_CONNECTION_SECONDS)
    async with app.with_connector(connector).open_async() as worker_app, _giving_back():
        await worker_app.run_worker_async(
            queues=queues,
            concurrency=1,
            wait=wait,
            delete_jobs="successful",
            install_signal_handlers=wait,
            # Nobody aborts jobs.
            abort_job_polling_interval=_NEVER_SECONDS,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=STALLED_SECONDS,
            shutdown_graceful_timeout=15.0,
        )


@asynccontextmanager
async def _giving_back() -> AsyncIterator[None]:
    """Every now and then, give back the connection by which the library enters periodic tasks, in the thread for it."""

    async def repeat() -> None:
        while True:
            await asyncio.sleep(settings.IDLE_CONNECTION_SECONDS)
            await sync_to_async(release)()

    repeating = asyncio.create_task(repeat())
    try:
        yield
    finally:
        repeating.cancel()


def requeue_stalled(seconds_without_heartbeat: float = STALLED_SECONDS) -> int:
    """Put jobs whose worker was killed back into their queues; how many."""
    manager = app.job_manager
    stalled = list(async_to_sync(manager.get_stalled_jobs)(seconds_since_heartbeat=seconds_without_heartbeat))
    for job in stalled:
        try:
            with transaction.atomic():
                async_to_sync(manager.retry_job)(job)
        except UniqueViolation:
            # Another one waits under the same lock: it will do what this one did not finish.
            async_to_sync(manager.finish_job)(job, status=Status.FAILED, delete_job=True)
    async_to_sync(manager.prune_stalled_workers)(seconds_without_heartbeat)
    return len(stalled)


def delete_old() -> None:
    """Delete jobs that ended long ago without success; what succeeded went when it did."""
    async_to_sync(app.job_manager.delete_old_jobs)(
        nb_hours=_FAILED_KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )


def on_app_ready(_app: App) -> None:
    """Nothing to prepare: tasks register themselves."""
