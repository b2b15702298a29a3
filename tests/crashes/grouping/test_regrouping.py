"""Grouping again from stored results: a job in windows, that may be killed."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from core.background import run_waiting
from crashes.grouping import regrouping
from crashes.models import Crash, CrashResult, Group, Rerun
from projects.access import SYSTEM
from projects.models import AuditEntry
from tests.crashes.grouping.making import grouped, make_crash

pytestmark = pytest.mark.django_db


@pytest.fixture
def old_fingerprints(acme_project):
    """Crashes as another version of the service grouped them: all in one group."""
    crashes = [grouped(acme_project, name, client_fingerprint="ab" * 32) for name in ("post", "post", "main")]
    Crash.objects.update(client_fingerprint="")
    return crashes


def counts() -> dict[str, int]:
    return {group.culprit: group.count for group in Group.objects.all()}


def finish(rerun: Rerun) -> int:
    windows = 1
    while regrouping.advance(rerun.pk):
        windows += 1
    rerun.refresh_from_db()
    return windows


def test_crashes_are_put_where_they_belong_now(acme_project, old_fingerprints):
    assert counts() == {"main": 3}
    rerun = regrouping.start(project=acme_project, actor=SYSTEM)
    finish(rerun)
    assert counts() == {"post": 2, "main": 1}
    assert (rerun.state, rerun.queued, rerun.total) == ("done", 3, 3)
    assert rerun.finished_at is not None
    assert {crash.group.fingerprint == crash.fingerprint for crash in Crash.objects.all()} == {True}


def test_windows_follow_one_another_and_each_crash_is_looked_at_once(acme_project, old_fingerprints, monkeypatch):
    monkeypatch.setattr(regrouping, "WINDOW", 2)
    rerun = regrouping.start(project=acme_project, actor=SYSTEM)
    assert regrouping.advance(rerun.pk) is True
    rerun.refresh_from_db()
    assert (rerun.state, rerun.queued, rerun.cursor) == ("running", 2, old_fingerprints[1].pk)
    finish(rerun)
    assert (rerun.state, rerun.queued) == ("done", 3)


def test_crashes_of_others_are_passed_by_in_bounded_steps(acme_project, umbrella_project, monkeypatch):
    monkeypatch.setattr(regrouping, "_REACH", 2)
    theirs = [grouped(umbrella_project, "post", client_fingerprint="ab" * 32) for _ in range(5)]
    Crash.objects.update(client_fingerprint="")
    grouped(acme_project, "post")
    rerun = regrouping.start(project=acme_project, actor=SYSTEM)
    # Tests before this one have used numbers up.
    Rerun.objects.update(cursor=theirs[0].pk - 1)
    assert finish(rerun) > 2
    assert rerun.queued == 1
    assert {crash.fingerprint for crash in Crash.objects.filter(pk__in=[one.pk for one in theirs])} == {"ab" * 32}


def test_a_window_that_was_done_before_a_kill_is_done_again_without_harm(acme_project, old_fingerprints):
    rerun = regrouping.start(project=acme_project, actor=SYSTEM)
    finish(rerun)
    Rerun.objects.update(state="running", cursor=0, queued=0)
    finish(rerun)
    assert counts() == {"post": 2, "main": 1}


def test_the_slower_of_two_workers_does_not_put_the_run_back(acme_project, old_fingerprints, monkeypatch):
    rerun = regrouping.start(project=acme_project, actor=SYSTEM)
    real = regrouping._changed

    def overtaken(ids, seen):
        Rerun.objects.update(cursor=10**9, queued=7)
        return real(ids, seen)

    monkeypatch.setattr(regrouping, "_changed", overtaken)
    assert regrouping.advance(rerun.pk) is False
    rerun.refresh_from_db()
    assert (rerun.cursor, rerun.queued, rerun.state) == (10**9, 7, "running")


def test_who_starts_one_while_one_runs_gets_that_one(acme_project, old_fingerprints):
    first = regrouping.start(project=acme_project, actor=SYSTEM)
    assert regrouping.start(project=acme_project, actor=SYSTEM).pk == first.pk
    finish(first)
    assert regrouping.start(project=acme_project, actor=SYSTEM).pk != first.pk
    assert AuditEntry.objects.filter(action="crashes.regrouped").count() == 2


def test_a_cancelled_run_stops(acme_project, old_fingerprints):
    rerun = regrouping.start(project=acme_project, actor=SYSTEM)
    Rerun.objects.update(state="cancelled")
    assert regrouping.advance(rerun.pk) is False
    assert counts() == {"main": 3}


def test_a_result_that_cannot_be_read_stops_nobody(acme_project, old_fingerprints):
    CrashResult.objects.filter(crash=old_fingerprints[0]).update(body=b"broken")
    rerun = regrouping.start(project=acme_project, actor=SYSTEM)
    finish(rerun)
    assert rerun.state == "done"
    assert [group.count for group in Group.objects.all()] == [1, 1, 1]


def test_what_has_no_result_is_left_alone(acme_project):
    crash = make_crash(acme_project, state="pending")
    rerun = regrouping.start(project=acme_project, actor=SYSTEM)
    finish(rerun)
    crash.refresh_from_db()
    assert (crash.group_id, rerun.total, rerun.state) == (None, 0, "done")


def test_a_crash_whose_group_was_deleted_gets_one(acme_project):
    grouped(acme_project, "post")
    Group.objects.all().delete()
    finish(regrouping.start(project=acme_project, actor=SYSTEM))
    assert counts() == {"post": 1}


def test_the_command_starts_a_run_for_each_project(acme, acme_project, umbrella_project, capsys):
    call_command("regroup", "--org", "acme", "--json")
    assert [run["project"] for run in json.loads(capsys.readouterr().out)["runs"]] == ["native-app"]
    call_command("regroup", "--all")
    assert "umbrella/native-app" in capsys.readouterr().out
    for wrong in ([], ["--project", "native-app"], ["--org", "acme", "--project", "nowhere"]):
        with pytest.raises(CommandError):
            call_command("regroup", *wrong)


@pytest.mark.django_db(transaction=True)
def test_the_job_does_it_and_a_lost_job_is_deferred_again(acme_project, old_fingerprints, monkeypatch):
    monkeypatch.setattr(regrouping, "WINDOW", 1)
    rerun = regrouping.start(project=acme_project, actor=SYSTEM)
    from procrastinate.contrib.django.models import ProcrastinateJob

    ProcrastinateJob.objects.all()._raw_delete("default")
    regrouping.tend()
    run_waiting(["maintenance"])
    rerun.refresh_from_db()
    assert rerun.state == "done"
    assert counts() == {"post": 2, "main": 1}
