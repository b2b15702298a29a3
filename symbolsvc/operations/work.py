"""What is to be done, who does it, and what failed. Ages and times are by the database's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Count

from core.background import STALLED_SECONDS
from crashes.models import Crash
from crashes.processing.workforce import worker_processes

MOST_JOBS: Final = 50
MOST_PROJECTS: Final = 20
# Of this many crashes, the latest, it is counted what was done.
_LATEST: Final = 200_000

_QUEUES: Final = """
SELECT queue_name,
    count(*) FILTER (WHERE status = 'todo'), count(*) FILTER (WHERE status = 'doing'),
    count(*) FILTER (WHERE status = 'failed'),
    extract(epoch FROM statement_timestamp() - min(greatest(at, scheduled_at)) FILTER (
        WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= statement_timestamp())))
FROM procrastinate_jobs LEFT JOIN LATERAL (
    SELECT max(at) AS at FROM procrastinate_events WHERE job_id = procrastinate_jobs.id AND type = 'deferred'
) AS deferred ON true
WHERE status IN ('todo', 'doing', 'failed')
GROUP BY queue_name ORDER BY queue_name
"""
# Each state has an index of its own; all others are done with.
_CRASHES: Final = """
SELECT 'pending', count(*), extract(epoch FROM statement_timestamp() - min(waiting_since) FILTER (
    WHERE due_at <= statement_timestamp())) FROM crashes_crash WHERE state = 'pending'
UNION ALL SELECT 'running', count(*), NULL FROM crashes_crash WHERE state = 'running'
UNION ALL SELECT 'set_aside', count(*), NULL FROM crashes_crash WHERE state = 'set_aside'
"""
_RATE: Final = """
SELECT count(*) FILTER (WHERE processed_at > statement_timestamp() - interval '1 hour'),
    count(*) FILTER (WHERE received_at > statement_timestamp() - interval '1 hour')
FROM crashes_crash WHERE id > (SELECT max(id) FROM crashes_crash) - %s
"""
_FAILED: Final = """
SELECT id, queue_name, task_name, attempts, args, at FROM procrastinate_jobs LEFT JOIN LATERAL (
    SELECT max(at) AS at FROM procrastinate_events WHERE job_id = procrastinate_jobs.id
) AS last ON true
WHERE status = 'failed' ORDER BY id DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Queue:
    """Jobs of a queue; `age`: for how many seconds the longest that could run has waited, None without one."""

    name: str
    waiting: int
    running: int
    failed: int
    age: float | None


@dataclass(frozen=True, slots=True)
class Crashes:
    """Crashes that are not done with; `age` as of a queue. Done and received within the last hour."""

    waiting: int = 0
    running: int = 0
    set_aside: int = 0
    age: float | None = None
    done_in_hour: int = 0
    received_in_hour: int = 0


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that runs jobs, by its number in the database; `job` is what it does now.

    A silent one said nothing for so long that its jobs are given to others.
    """

    id: int
    heartbeat: datetime
    is_silent: bool
    job: str


@dataclass(frozen=True, slots=True)
class FailedJob:
    id: int
    queue: str
    task: str
    attempts: int
    arguments: Any
    at: datetime | None


@dataclass(frozen=True, slots=True)
class SetAside:
    """How many crashes of a project wait for people."""

    organization: str
    project: str
    count: int


def queues() -> list[Queue]:
    """All that have jobs."""
    return [
        Queue(name, waiting, running, failed, _seconds(age)) for name, waiting, running, failed, age in _rows(_QUEUES)
    ]


def crashes() -> Crashes:
    """How many wait, run, and are set aside; cheap however many there are."""
    rows = {state: (count, age) for state, count, age in _rows(_CRASHES)}
    (waiting, age), (running, _), (set_aside, _) = (rows[state] for state in ("pending", "running", "set_aside"))
    return Crashes(waiting, running, set_aside, _seconds(age))


def crashes_with_rates() -> Crashes:
    """As `crashes`, and what was done within the hour, among the latest."""
    known = crashes()
    ((done, received),) = _rows(_RATE, _LATEST)
    return Crashes(known.waiting, known.running, known.set_aside, known.age, done, received)


def workers() -> list[Worker]:
    """Those that run jobs, whoever spoke last first."""
    rows = _rows(
        "SELECT procrastinate_workers.id, last_heartbeat,"
        " last_heartbeat < statement_timestamp() - make_interval(secs => %s), coalesce(min(task_name), '')"
        " FROM procrastinate_workers"
        " LEFT JOIN procrastinate_jobs ON worker_id = procrastinate_workers.id AND status = 'doing'"
        " GROUP BY procrastinate_workers.id ORDER BY last_heartbeat DESC",
        STALLED_SECONDS,
    )
    return [Worker(*row) for row in rows]


def crash_workers() -> int:
    """Processes for crashes, on all hosts."""
    return worker_processes()


def failed_jobs() -> list[FailedJob]:
    """The latest that are not tried any more."""
    return [FailedJob(*row) for row in _rows(_FAILED, MOST_JOBS)]


def set_aside() -> list[SetAside]:
    """Projects with crashes that are set aside, those with most first."""
    found = Crash.objects.filter(state=Crash.State.SET_ASIDE).order_by()
    counted = found.values_list("project__organization__slug", "project__slug").annotate(number=Count("id"))
    return [SetAside(*row) for row in counted.order_by("-number")[:MOST_PROJECTS]]


def _seconds(value: Any) -> float | None:
    return None if value is None else max(float(value), 0.0)


def _rows(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
