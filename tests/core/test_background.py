"""Jobs on a real database."""

import os
import signal
import subprocess
import sys

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from core import background
from core.tasks import sweep_old, sweep_stalled
from projects.models import Organization
from tests.service import ROOT, eventually

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "test_background"


@pytest.fixture(autouse=True)
def _no_jobs():
    # Procrastinate's tables are not Django's to empty.
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


def jobs():
    """The jobs of these tests; workers add periodic ones of other queues."""
    return ProcrastinateJob.objects.filter(queue_name=QUEUE)


@background.task(queue=QUEUE)
def rename(*, organization_id: int) -> None:
    Organization.objects.filter(id=organization_id).update(name="renamed")


@background.task(queue=QUEUE, queueing_lock="once")
def once() -> None:
    """Waits at most once."""


@background.task(queue=QUEUE)
def fails() -> None:
    raise RuntimeError("as planned")


def test_a_deferred_job_runs_and_is_deleted():
    organization = Organization.objects.create(slug="acme", name="before")
    assert background.defer(rename, organization_id=organization.id)
    background.run_waiting([QUEUE])
    organization.refresh_from_db()
    assert organization.name == "renamed"
    assert not jobs().exists()


def test_a_job_goes_away_with_its_transaction():
    with transaction.atomic():
        background.defer(rename, organization_id=1)
        transaction.set_rollback(True)
    assert not jobs().exists()


def test_a_clash_does_not_lose_what_was_written_around_it():
    with transaction.atomic():
        Organization.objects.create(slug="acme", name="kept")
        assert background.defer(once)
        assert not background.defer(once)
        Organization.objects.create(slug="umbrella", name="kept too")
    assert Organization.objects.count() == 2
    assert jobs().count() == 1


def test_both_locks_at_once_are_refused():
    with pytest.raises(ValueError, match="never both"):
        background.defer(once, lock="other", queueing_lock="once")
    with pytest.raises(ValueError, match="never both"):
        background.task(queueing_lock="a", lock="b")


def test_every_task_has_a_retry_strategy_unless_its_next_time_comes_anyway():
    ours = [task for name, task in app.tasks.items() if not name.startswith(("builtin", "procrastinate."))]
    periodic = {due.task.name for due in app.periodic_registry.periodic_tasks.values()}
    assert {task.name for task in ours} > periodic
    # One that waits for another attempt would keep out, by its queueing lock, all that are due until then.
    assert {task.name for task in ours if task.retry_strategy is None} == periodic


def test_a_job_that_fails_is_tried_again_later():
    background.defer(fails)
    background.run_waiting([QUEUE])
    job = jobs().get()
    assert (job.status, job.attempts) == ("todo", 1)
    assert job.scheduled_at is not None


SLEEPER = """
import django
django.setup()
import time
from core import background

@background.task(queue="test_background", queueing_lock={lock!r})
def sleeper() -> None:
    print("started", flush=True)
    time.sleep(600)

sleeper.name = "tests.sleeper"
background.app.tasks["tests.sleeper"] = sleeper
background.defer(sleeper)
background.run(["test_background"])
"""


def start_sleeper(lock=None):
    parts = connection.settings_dict
    url = f"postgresql://{parts['USER']}@/{parts['NAME']}?host={parts['HOST'].replace('/', '%2F')}"
    url += f"&port={parts['PORT']}" if parts["PORT"] else ""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER.format(lock=lock)],
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "symbolsvc.settings"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def kill_while_running(lock=None):
    process = start_sleeper(lock)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert jobs().get().status == "doing"


def test_a_job_whose_worker_was_killed_runs_again_after_the_sweep():
    kill_while_running()
    assert background.requeue_stalled() == 0, "its worker may still be alive"
    assert eventually(lambda: background.requeue_stalled(seconds_without_heartbeat=0)) == 1
    assert jobs().get().status == "todo"


def test_a_killed_job_gives_way_to_the_one_that_waits_under_its_lock():
    kill_while_running(lock="once")
    assert background.defer(once)
    eventually(lambda: background.requeue_stalled(seconds_without_heartbeat=0))
    assert [(job.task_name, job.status) for job in jobs()] == [(once.name, "todo")]


def test_sessions_that_are_over_are_deleted():
    for seconds in (-10, 1000):
        session = SessionStore()
        session.set_expiry(seconds)
        session.save()
    sweep_old(0)
    assert Session.objects.count() == 1


def test_the_sweeps_are_due_by_themselves():
    names = {task.task.name for task in app.periodic_registry.periodic_tasks.values()}
    assert {sweep_stalled.name, sweep_old.name} <= names


def test_every_periodic_task_runs_as_a_worker_defers_it():
    for periodic in app.periodic_registry.periodic_tasks.values():
        periodic.task.configure(queue=QUEUE, queueing_lock=None).defer(timestamp=1_700_000_000)
    count = jobs().count()
    background.run_waiting([QUEUE])
    assert count >= 2
    assert list(jobs()) == []
