"""Having crashes processed again, waking workers, and waiting for the end."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from crashes.models import Crash, Rerun
from crashes.processing.claims import claim
from crashes.processing.endings import put_back, set_aside
from crashes.processing.queueing import queue, wait_until_done
from crashes.processing.sweeping import sweep
from crashes.processing.waking import ENOUGH
from crashes.storing import insert_crash
from projects.models import Project
from tests.crashes.processing.crashes import expire, finish, listening, make_crash, now_of, seconds_until_due

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", [Crash.State.DONE, Crash.State.SET_ASIDE], ids=str)
def test_what_ended_waits_again_with_all_its_tries(acme_project: Project, state: Crash.State) -> None:
    rerun = Rerun.objects.create(project=acme_project)
    crash = make_crash(acme_project, state=state, attempts=5, ago=900)

    assert queue([crash.pk], priority=1, rerun=rerun) == 1

    row = now_of(crash)
    assert (row.state, row.priority, row.attempts, row.rerun_id) == (Crash.State.PENDING, 1, 0, rerun.pk)
    assert row.waiting_since > crash.waiting_since


def test_what_waits_keeps_its_place_and_the_better_priority(acme_project: Project) -> None:
    new = make_crash(acme_project, ago=50)
    again = make_crash(acme_project, ago=50, priority=2)

    assert queue([new.pk, again.pk], priority=1, rerun=None) == 2

    assert [now_of(one).priority for one in (new, again)] == [0, 1]
    assert now_of(new).waiting_since == new.waiting_since


def test_a_crash_that_pauses_after_a_failure_is_due_at_once(acme_project: Project) -> None:
    crash = make_crash(acme_project, ago=-500, attempts=4)

    queue([crash.pk], priority=1, rerun=None)

    assert now_of(crash).attempts == 0
    assert seconds_until_due(crash) <= 0


def test_kept_formats_and_crashes_that_are_gone_are_left_alone(acme_project: Project) -> None:
    kept = make_crash(acme_project, state=Crash.State.KEPT)

    assert queue([kept.pk, 987654321], priority=1, rerun=None) == 0
    assert now_of(kept).state == Crash.State.KEPT


def test_the_queueing_goes_away_with_its_transaction(acme_project: Project) -> None:
    crash = make_crash(acme_project, state=Crash.State.DONE)
    with transaction.atomic():
        queue([crash.pk], priority=1, rerun=None)
        transaction.set_rollback(True)

    assert now_of(crash).state == Crash.State.DONE


def test_a_running_crash_goes_on_and_runs_once_more(acme_project: Project) -> None:
    crash = make_crash(acme_project)
    first = claim()
    assert first is not None

    assert queue([crash.pk], priority=1, rerun=None) == 1
    assert now_of(crash).lease_token == first.token
    assert finish(first) == Crash.State.PENDING

    second = claim()
    assert second is not None
    assert (second.crash_id, second.attempt) == (crash.pk, 1)
    assert finish(second) == Crash.State.DONE


def test_however_often_a_running_crash_is_queued_it_runs_once_more(acme_project: Project) -> None:
    crash = make_crash(acme_project)
    first = claim()
    assert first is not None
    for _ in range(3):
        queue([crash.pk], priority=1, rerun=None)
    finish(first)
    second = claim()
    assert second is not None

    assert finish(second) == Crash.State.DONE


@pytest.mark.parametrize(
    "end",
    [lambda one: put_back(one, "no"), lambda one: set_aside(one, "no"), lambda one: put_back(one, "no", counted=False)],
    ids=["failed", "unreadable", "interrupted"],
)
def test_a_running_crash_that_was_queued_starts_afresh_whatever_becomes_of_the_try(
    acme_project: Project, end, processing
) -> None:
    processing(CRASH_TRIES=1)
    crash = make_crash(acme_project)
    first = claim()
    assert first is not None
    queue([crash.pk], priority=0, rerun=None)

    end(first)

    row = now_of(crash)
    assert (row.state, row.attempts) == (Crash.State.PENDING, 0)
    assert claim() is not None


def test_a_running_crash_that_was_queued_and_lost_its_worker_runs_again(acme_project: Project, processing) -> None:
    processing(CRASH_TRIES=1)
    crash = make_crash(acme_project)
    assert claim() is not None
    queue([crash.pk], priority=0, rerun=None)
    expire(crash)

    assert claim() is not None


@pytest.mark.django_db(transaction=True)
def test_workers_are_woken_by_what_is_committed_and_by_nothing_else(acme_project: Project) -> None:
    crashes = [make_crash(acme_project, state=Crash.State.DONE) for _ in range(3)]
    with listening() as words:
        with transaction.atomic():
            queue([one.pk for one in crashes], priority=1, rerun=None)
            transaction.set_rollback(True)
        queue([987654321], priority=1, rerun=None)
        assert words.heard() == 0

        queue([one.pk for one in crashes], priority=1, rerun=None)
        assert words.heard() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("end", "again", "count"),
    [
        (finish, False, 0),
        (finish, True, 1),
        (lambda one: put_back(one, "no"), False, 1),
        (lambda one: set_aside(one, "no"), False, 0),
        (lambda one: set_aside(one, "no"), True, 1),
    ],
    ids=["done", "done-and-queued", "put-back", "set-aside", "set-aside-and-queued"],
)
def test_an_end_wakes_workers_where_the_crash_waits_again(acme_project: Project, end, again: bool, count: int) -> None:
    crash = make_crash(acme_project)
    first = claim()
    assert first is not None
    if again:
        queue([crash.pk], priority=1, rerun=None)
    with listening() as words:
        end(first)
        assert words.heard() == count


def test_the_sweep_puts_back_what_lost_its_worker(acme_project: Project) -> None:
    crash = make_crash(acme_project)
    assert claim() is not None
    expire(crash)
    sweep()

    row = now_of(crash)
    assert (row.state, row.lease_token, row.attempts) == (Crash.State.PENDING, None, 1)


@pytest.mark.parametrize(("attempts", "ahead"), [(0, 120), (3, 5000)], ids=["never-tried", "after-failures"])
def test_crashes_are_due_again_when_the_clock_was_set_back(acme_project: Project, attempts: int, ahead: int) -> None:
    crash = make_crash(acme_project, ago=-ahead, attempts=attempts)
    sweep()
    assert seconds_until_due(crash) <= 0


def test_the_sweep_leaves_pauses_alone(acme_project: Project) -> None:
    crash = make_crash(acme_project, ago=-600, attempts=3)
    sweep()
    assert seconds_until_due(crash) > 500


@pytest.mark.django_db(transaction=True)
def test_waiting_ends_when_the_crash_does(acme_project: Project) -> None:
    crash = make_crash(acme_project)
    claimed = claim()
    assert claimed is not None

    def end() -> None:
        finish(claimed)
        connection.close()

    threading.Timer(0.3, end).start()
    began = time.monotonic()
    found = wait_until_done(crash.pk, 20)

    assert found.state == Crash.State.DONE
    assert 0.2 < time.monotonic() - began < 5


@pytest.mark.django_db(transaction=True)
def test_waiting_ends_with_its_time(acme_project: Project) -> None:
    crash = make_crash(acme_project)
    assert wait_until_done(crash.pk, 0.1).state == Crash.State.PENDING


def come_in(project: Project) -> int | None:
    """A submission's row; its id."""
    given = {"format": "minidump", "door": "backtrace", "blob_key": "crashes/none/new", "sha256": "0" * 64}
    empty = {"uuid": None, "occurred_at": None, "attributes": {}, "classifiers": [], "modifiers": {}}
    sizes = {"size": 2, "stored_bytes": 2}
    more = {"project_id": project.pk, "rxid": "new", "client_fingerprint": "", "state": "pending"}
    return insert_crash({**given, **empty, **sizes, **more})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("waiting", "count"), [(0, 1), (ENOUGH - 1, 1), (ENOUGH, 0)], ids=str)
def test_a_crash_that_comes_in_wakes_workers_unless_enough_wait(
    acme_project: Project, waiting: int, count: int
) -> None:
    for _ in range(waiting):
        make_crash(acme_project)
    with listening() as words:
        made = come_in(acme_project)
        assert words.heard() == count
    assert Crash.objects.get(pk=made).state == Crash.State.PENDING


def test_the_sweep_forgets_by_what_an_earlier_version_woke_its_workers(acme_project: Project) -> None:
    for queue_name in ("crashes", "maintenance"):
        app.configure_task("none", queue=queue_name).defer()
    sweep()
    left = ProcrastinateJob.objects.filter(task_name="none").values_list("queue_name", flat=True)
    assert list(left) == ["maintenance"]
