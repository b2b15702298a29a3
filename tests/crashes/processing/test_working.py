"""Processing one crash: what is stored, and what becomes of failures."""

from __future__ import annotations

import lzma
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import IntegrityError

from crashes.again.lacks import Lack
from crashes.models import Crash, CrashResult, Group
from crashes.processing import committing, working
from crashes.processing.claims import Claim, claim
from crashes.processing.queueing import queue
from crashes.processing.working import process
from crashes.reports import Outcome, UnreadableReport
from crashes.results import Result, stored_result
from projects.models import Project
from tests.crashes.processing.crashes import (
    FACTS,
    RESULT,
    Examine,
    claimed,
    expire,
    make_crash,
    make_due,
    now_of,
    raising,
    seconds_until_due,
    work,
)
from tests.crashes.stored import submit
from tests.service import ROOT

pytestmark = pytest.mark.django_db

DUMP = Path(ROOT, "tests/fixtures/crash/segv-worker-fp.dmp.xz")


def test_a_dump_as_it_was_sent_becomes_a_result_in_a_group(acme_project: Project) -> None:
    crash = work(submit(acme_project, lzma.decompress(DUMP.read_bytes())))

    result = stored_result(crash)
    assert result is not None
    assert result.crashed_thread is not None
    assert result.crashed_thread.frames
    assert (crash.state, crash.problem, crash.lease_token, crash.lease_until) == (Crash.State.DONE, "", None, None)
    assert (crash.platform, crash.os_name, crash.arch) == ("native", "Linux", "x86_64")
    assert crash.frame_count > 0
    assert crash.processed_at is not None
    assert crash.group is not None
    assert crash.group.count == 1


def test_what_a_result_says_stands_in_the_row(acme_project: Project, examining: Examine) -> None:
    crash = work(make_crash(acme_project, problem="an earlier one"))

    assert stored_result(crash) == RESULT
    columns = (crash.platform, crash.version, crash.os_name, crash.arch, crash.frame_count, crash.unnamed_count)
    assert columns == ("javascript", "1.2", "Linux", "amd64", 7, 2)
    assert crash.title.startswith("TypeError")
    assert crash.problem == ""


def test_a_crash_processed_again_has_one_result_and_is_counted_once(acme_project: Project, examining: Examine) -> None:
    crash = work(make_crash(acme_project))
    examining(lambda: Outcome(Result(platform="jvm", failures=RESULT.failures), FACTS, ()))
    queue([crash.pk], priority=1, rerun=None)

    work(crash)

    result = stored_result(crash)
    assert result is not None
    assert result.platform == "jvm"
    assert CrashResult.objects.count() == 1
    assert sum(group.count for group in Group.objects.all()) == 1


def test_a_failure_is_tried_again_after_growing_pauses_and_then_set_aside(
    acme_project: Project, examining: Examine, processing
) -> None:
    processing(CRASH_TRIES=4)
    examining(raising(RuntimeError("the symbol server burns")))
    crash = make_crash(acme_project)
    pauses = []
    for _ in range(3):
        row = work(crash)
        assert (row.state, row.problem) == (Crash.State.PENDING, "RuntimeError: the symbol server burns")
        pauses.append(round(seconds_until_due(crash)))
        make_due(crash)
    row = work(crash)

    assert pauses == [10, 40, 160]
    assert (row.state, row.attempts) == (Crash.State.SET_ASIDE, 4)
    assert row.problem == "RuntimeError: the symbol server burns"
    assert claim() is None


def test_a_crash_that_fails_lets_the_next_one_go_first(acme_project: Project, examining: Examine) -> None:
    examining(raising(RuntimeError("no")))
    bad, good = make_crash(acme_project, ago=10), make_crash(acme_project)
    work(bad)
    examining(lambda: None)

    assert work(good).state == Crash.State.DONE


def test_a_report_that_nobody_can_read_is_set_aside_at_once(acme_project: Project, examining: Examine) -> None:
    examining(raising(UnreadableReport("The dump ends in its header.")))
    row = work(make_crash(acme_project))

    assert (row.state, row.attempts) == (Crash.State.SET_ASIDE, 1)
    assert row.problem == "UnreadableReport: The dump ends in its header."


def test_a_problem_tells_no_secret_and_can_be_stored(acme_project: Project, examining: Examine) -> None:
    secret = "https://symbols:hunter22@example.com/"
    examining(raising(RuntimeError(f"{secret} \0 \ud800 " + 5000 * "x")))
    row = work(make_crash(acme_project))

    assert row.problem.startswith("RuntimeError: ")
    assert "hunter22" not in row.problem
    assert len(row.problem) == 1000


def test_an_earlier_result_stays_when_another_try_fails(acme_project: Project, examining: Examine) -> None:
    crash = work(make_crash(acme_project))
    examining(raising(RuntimeError("no")))
    queue([crash.pk], priority=1, rerun=None)

    work(crash)

    assert stored_result(crash) == RESULT


def test_what_cannot_be_stored_whole_is_not_stored_at_all(
    acme_project: Project, examining: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise IntegrityError("as planned")

    monkeypatch.setattr(committing, "assign", fail)
    row = work(make_crash(acme_project))

    assert (row.state, row.problem) == (Crash.State.PENDING, "IntegrityError: as planned")
    assert not CrashResult.objects.exists()


def test_a_result_that_comes_too_late_is_dropped(acme_project: Project, examining: Examine) -> None:
    crash = make_crash(acme_project)
    second: list[Claim] = []

    def lose() -> Outcome:
        expire(crash)
        second.append(claimed(crash))
        return Outcome(Result(platform="late"), FACTS, ())

    examining(lose)
    process(claimed(crash))
    assert now_of(crash).lease_token == second[0].token
    assert not CrashResult.objects.exists()

    examining(lambda: None)
    process(second[0])
    assert stored_result(crash) == RESULT
    assert [group.count for group in Group.objects.all()] == [1]


@pytest.mark.parametrize("error", [RuntimeError("late"), UnreadableReport("late")], ids=["failed", "unreadable"])
def test_a_failure_that_comes_too_late_changes_nothing(
    acme_project: Project, examining: Examine, error: Exception
) -> None:
    crash = make_crash(acme_project)
    second: list[Claim] = []

    def lose() -> None:
        expire(crash)
        second.append(claimed(crash))
        raise error

    examining(lose)
    process(claimed(crash))

    row = now_of(crash)
    assert (row.state, row.lease_token) == (Crash.State.RUNNING, second[0].token)


def test_a_claim_that_was_lost_before_the_work_began_does_nothing(acme_project: Project, examining: Examine) -> None:
    examined: list[int] = []
    examining(lambda: examined.append(1))
    crash = make_crash(acme_project)
    first = claimed(crash)
    expire(crash)
    claimed(crash)

    process(first)

    assert examined == []


def test_a_crash_that_is_deleted_meanwhile_leaves_nothing(acme_project: Project, examining: Examine) -> None:
    crash = make_crash(acme_project)
    examining(lambda: Crash.objects.filter(pk=crash.pk).delete() and None)
    process(claimed(crash))

    assert not CrashResult.objects.exists()
    assert not Group.objects.exists()


def test_a_crash_queued_while_it_runs_stores_its_result_and_runs_again(
    acme_project: Project, examining: Examine
) -> None:
    crash = make_crash(acme_project)
    examining(lambda: queue([crash.pk], priority=1, rerun=None) and None)
    row = work(crash)

    assert (row.state, row.priority, row.attempts) == (Crash.State.PENDING, 1, 0)
    assert stored_result(crash) == RESULT
    examining(lambda: None)
    assert work(crash).state == Crash.State.DONE


def test_what_a_crash_lacks_is_looked_for_once_more_after_it_is_stored(
    acme_project: Project, examining: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    Project.objects.filter(pk=acme_project.pk).update(files_revision=4, sources_revision=6)
    seen: list[tuple[object, ...]] = []

    def look(crash: Crash, files_revision: int, sources_revision: int) -> None:
        assert now_of(crash).state == Crash.State.DONE
        seen.append((crash.pk, files_revision, sources_revision, CrashResult.objects.count()))

    def arrive() -> Outcome:
        Project.objects.filter(pk=acme_project.pk).update(files_revision=5, sources_revision=7)
        return Outcome(RESULT, FACTS, (lack(),))

    monkeypatch.setattr(working, "look_once_more", look)
    examining(arrive)
    crash = work(make_crash(acme_project))

    assert seen == [(crash.pk, 4, 6, 1)]
    assert crash.lacks.count() == 1


def lack() -> Lack:
    identity = uuid4()
    return Lack(
        kind="debug_file",
        name="app",
        debug_id=f"{identity}-0",
        debug_uuid=identity,
        code_id="",
        release="",
        dist="",
        module={},
        next_try_at=None,
    )
