"""Processing that is interrupted: leases, jobs that hang, a database that goes away."""

from __future__ import annotations

import threading

import pytest
from django.db import OperationalError, connection
from psycopg import errors

from crashes.models import Crash, CrashResult, Group
from crashes.processing import holding, persistence, working
from projects.models import Project
from tests.crashes.processing.crashes import (
    Examine,
    claimed,
    expire,
    make_crash,
    now_of,
    raising,
    seconds_until_due,
    work,
)

pytestmark = pytest.mark.django_db


def test_the_lease_is_renewed_while_the_work_goes_on(
    acme_project: Project, examining: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "lease_seconds", lambda: 0.15)
    renewed = threading.Semaphore(0)
    monkeypatch.setattr(holding, "_renew", lambda one: renewed.release() or True)
    examining(lambda: [renewed.acquire(timeout=10) for _ in range(3)] and None)

    assert work(make_crash(acme_project)).state == Crash.State.DONE
    assert renewed._value < 3


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "another's"])
def test_a_lease_is_renewed_only_by_its_holder(acme_project: Project, processing, ours: bool) -> None:
    crash = make_crash(acme_project)
    one = claimed(crash)
    if not ours:
        expire(crash)
        claimed(crash)
    before = now_of(crash).lease_until
    processing(CRASH_LEASE_SECONDS=300)

    assert holding._renew(one) is ours
    assert (now_of(crash).lease_until != before) is ours


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_stopped_is_put_back_and_the_process_ends(
    acme_project: Project, examining: Examine, processing, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    processing(CRASH_TRY_SECONDS=0)
    monkeypatch.setattr(holding, "GRACE", 0.2)
    monkeypatch.setattr(holding, "end_process", ended.set)
    crash = make_crash(acme_project)
    examining(lambda: ended.wait(20) and None)

    row = work(crash)

    assert ended.is_set()
    assert (row.state, row.attempts, row.problem) == (Crash.State.PENDING, 1, "It did not end within 0 s.")
    assert 5 < seconds_until_due(crash) <= 10
    assert not CrashResult.objects.exists()


def end_connections() -> None:
    """As when the database is started again: whoever has a connection loses it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (own,) = cursor.fetchone()
    ender = threading.Thread(target=_end_backend, args=(own,))
    ender.start()
    ender.join()


def _end_backend(pid: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_restarts_while_a_job_ends_gets_the_result_all_the_same(
    acme_project: Project, examining: Examine
) -> None:
    examining(end_connections)

    row = work(make_crash(acme_project))

    assert row.state == Crash.State.DONE
    assert [group.count for group in Group.objects.all()] == [1]


@pytest.mark.django_db(transaction=True)
def test_a_commit_whose_answer_was_lost_counts_once(
    acme_project: Project, examining: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = working.commit
    times: list[int] = []

    def unanswered(*arguments: object) -> bool:
        found = commit(*arguments)  # type: ignore[arg-type]
        times.append(1)
        if len(times) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        return found

    monkeypatch.setattr(working, "commit", unanswered)
    crash = work(make_crash(acme_project))

    assert len(times) == 2
    assert (crash.state, crash.attempts) == (Crash.State.DONE, 1)
    assert [group.count for group in Group.objects.all()] == [1]


def test_a_try_that_the_database_ended_does_not_count(acme_project: Project, examining: Examine, processing) -> None:
    processing(CRASH_TRIES=1)
    examining(raising(_from_database(errors.AdminShutdown("terminating connection"))))
    crash = make_crash(acme_project)
    row = work(crash)

    assert (row.state, row.attempts) == (Crash.State.PENDING, 0)
    assert seconds_until_due(crash) <= 1


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (errors.AdminShutdown(), True),
        (errors.CannotConnectNow(), True),
        (errors.DeadlockDetected(), True),
        (errors.OperationalError("connection refused"), True),
        (errors.DiskFull(), False),
        (errors.QueryCanceled(), False),
        (errors.OutOfMemory(), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_of_the_databases_errors_passes_by_itself(error: Exception, passing: bool) -> None:
    assert persistence.is_passing(_from_database(error)) is passing


def test_what_is_done_surely_is_done_until_the_database_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(persistence, "connection", _NoConnection())
    left = [1, 1, 1]

    def act() -> str:
        if left:
            left.pop()
            raise OperationalError("not yet")
        return "done"

    assert persistence.surely(act) == "done"
    left[:] = [1] * 1000
    with pytest.raises(OperationalError):
        persistence.surely(act, seconds=0.05)


class _NoConnection:
    in_atomic_block = False

    def close(self) -> None:
        """Nothing to close."""


def _from_database(cause: Exception) -> OperationalError:
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error
