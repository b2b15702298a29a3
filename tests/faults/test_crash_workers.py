"""Worker processes that die, are silent, or come and go."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest
from django.db import connection

from core.blobs import blob_store
from crashes.accepting import Report, accept
from crashes.models import Crash, CrashResult, Group
from crashes.processing.claims import claim
from crashes.processing.working import process
from projects.models import Project
from tests.faults.crash_load import report
from tests.faults.crash_worker import DIES_OF_POISON, WAITS, go_on, machine, said, worker
from tests.service import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_jobs(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


def submit(project: Project, number: int = 0, **attributes: bool) -> Crash:
    body = json.dumps(report(number, "")).encode()
    with blob_store().incoming(1 << 20) as main:
        main.write(body)
        return accept(project=project, report=Report("json", "backtrace", main, attributes=attributes)).crash


def now_of(crash: Crash) -> Crash:
    return Crash.objects.get(pk=crash.pk)


def is_done(crash: Crash) -> bool:
    return now_of(crash).state == Crash.State.DONE


def counted() -> list[int]:
    return [group.count for group in Group.objects.all()]


def test_a_crash_that_kills_its_worker_each_time_is_set_aside_and_others_go_on(
    acme_project: Project, tmp_path: Path
) -> None:
    poison = submit(acme_project, poison=True)
    others = [submit(acme_project) for _ in range(3)]
    starts = 0
    while now_of(poison).attempts < 2 or not all(map(is_done, others)):
        starts += 1
        assert starts <= 4
        with worker(tmp_path / "machine", DIES_OF_POISON, CRASH_TRIES="2") as started:
            eventually(lambda: started.poll() is not None or all(map(is_done, others)), 60)
            if now_of(poison).attempts < 2:
                eventually(lambda: started.poll() is not None, 60)
                assert started.returncode == -signal.SIGKILL

    with worker(tmp_path / "machine", DIES_OF_POISON, CRASH_TRIES="2"):
        eventually(lambda: now_of(poison).state == Crash.State.SET_ASIDE, 60)

    row = now_of(poison)
    assert (row.attempts, row.lease_token) == (2, None)
    assert "worker process ended" in row.problem
    assert all(map(is_done, others))
    assert counted() == [3]


def test_a_worker_that_was_silent_for_too_long_has_its_result_dropped(acme_project: Project, tmp_path: Path) -> None:
    crash = submit(acme_project)
    with worker(tmp_path / "machine", WAITS) as silent:
        assert said(silent) == "holding"
        first = now_of(crash).lease_token
        silent.send_signal(signal.SIGSTOP)
        found = eventually(claim, 30)
        assert (found.crash_id, found.attempt) == (crash.pk, 2)
        assert found.token != first
        process(found)
        made_at = CrashResult.objects.get().made_at

        silent.send_signal(signal.SIGCONT)
        go_on(silent)
        later = submit(acme_project)
        assert said(silent) == "holding"
        go_on(silent)
        eventually(lambda: is_done(later))

    assert CrashResult.objects.get(crash=crash).made_at == made_at
    assert now_of(crash).attempts == 2
    assert counted() == [2]


def test_machines_join_and_leave_while_crashes_come_in(acme_project: Project, tmp_path: Path) -> None:
    sent: list[Crash] = []

    def send_until(condition) -> None:
        end = time.monotonic() + 90
        while not condition():
            assert time.monotonic() < end, "no machine does anything"
            sent.append(submit(acme_project, len(sent)))
            # Each costs time to process: enough that some come in at every moment that matters.
            time.sleep(0.4)

    def done() -> int:
        return Crash.objects.filter(state=Crash.State.DONE).count()

    def both() -> bool:
        names = "SELECT count(DISTINCT application_name) FROM pg_stat_activity WHERE application_name LIKE %s"
        with connection.cursor() as cursor:
            cursor.execute(names, ["symbolsvc jobs crashes %"])
            return bool(cursor.fetchone()[0] >= 2)

    # Either joins when it is up, which is the slow part and so is done beside the other's.
    with machine(tmp_path / "one") as one, machine(tmp_path / "two"):
        send_until(lambda: done() >= 3 and both())
        # Its power fails: everything of it ends at once.
        one.send_signal(signal.SIGKILL)
        one.wait()
        before = done()
        send_until(lambda: done() >= before + 3)
        eventually(lambda: done() == len(sent), 90)

    assert (tmp_path / "one" / "cache").is_dir()
    assert (tmp_path / "two" / "cache").is_dir()
    assert CrashResult.objects.count() == len(sent)
    assert sum(counted()) == len(sent)
