"""Which crashes go when, and what goes with the last of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from crashes.models import Crash, Group
from crashes.results import Result, Thread, packed
from crashes.retention import expiring, tasks
from crashes.retention.expiring import delete_expired, used_bytes
from crashes.rules import UNLIMITED, OwnRules, set_rules
from projects.access import SYSTEM
from projects.models import AuditEntry
from tests.cast import make_project
from tests.crashes.stored import add_result, make_crash, make_group

pytestmark = pytest.mark.django_db


def rules(project, **own):
    set_rules(project=project, actor=SYSTEM, own=OwnRules(**own))


def kept(project):
    return list(Crash.objects.filter(project=project).order_by("received_at", "pk"))


def in_days(days):
    return timezone.now() + timedelta(days=days)


def test_crashes_go_after_ninety_days_unless_their_project_says_otherwise(acme, acme_project, settings):
    brief, forever = make_project(acme, "brief"), make_project(acme, "forever")
    rules(brief, keep_days=7)
    rules(forever, keep_days=UNLIMITED)
    for project in (acme_project, brief, forever):
        for days in (1, 8, 89, 91):
            make_crash(project, days_old=days)

    assert delete_expired() == (4, False)

    assert [len(kept(project)) for project in (acme_project, brief, forever)] == [3, 1, 4]
    assert AuditEntry.objects.get(action="crash.expired", project=brief).data["reason"] == "age"
    settings.ENVIRONMENT = settings.ENVIRONMENT | {"CRASH_KEEP_DAYS": None}
    assert delete_expired(in_days(1000)) == (1, False)


def test_the_oldest_go_when_there_are_too_many(acme_project):
    crashes = [make_crash(acme_project, days_old=days) for days in (3, 1, 2, 5)]
    rules(acme_project, most_crashes=2)

    assert delete_expired() == (2, False)
    assert delete_expired() == (0, False)

    assert kept(acme_project) == [crashes[2], crashes[1]]


def test_as_many_as_are_allowed_stay_when_they_came_at_once(acme_project):
    now = timezone.now()
    crashes = [make_crash(acme_project, received_at=now) for _ in range(5)]
    rules(acme_project, most_crashes=3)

    delete_expired()

    assert kept(acme_project) == crashes[2:]


def test_reports_attachments_and_results_count_to_the_byte(acme_project):
    _, middle, new = (make_crash(acme_project, b"x" * 100, days_old=days, stored_bytes=150) for days in (3, 2, 1))
    result = Result(platform="native", threads=[Thread([], name="main")])
    add_result(middle, result)
    size = len(packed(result))
    assert used_bytes(acme_project) == 450 + size

    rules(acme_project, most_bytes=450 + size)
    assert delete_expired() == (0, False)
    rules(acme_project, most_bytes=449 + size)
    assert delete_expired() == (1, False)
    assert kept(acme_project) == [middle, new]
    rules(acme_project, most_bytes=300)
    assert delete_expired() == (1, False)

    assert kept(acme_project) == [new]


def test_a_large_result_is_counted_without_being_read(acme_project):
    crash = make_crash(acme_project, b"x")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crashes_crashresult (crash_id, body) VALUES (%s, decode(repeat('ab', 300000), 'hex'))",
            [crash.pk],
        )

    assert used_bytes(acme_project) == 300_001


def test_what_is_being_processed_is_left_for_the_next_round(acme_project):
    rules(acme_project, most_crashes=1, most_bytes=1, keep_days=1)
    running = make_crash(acme_project, days_old=100, state=Crash.State.RUNNING)
    for state in (Crash.State.PENDING, Crash.State.SET_ASIDE, Crash.State.KEPT):
        make_crash(acme_project, days_old=50, state=state)

    assert delete_expired() == (3, False)
    assert kept(acme_project) == [running]
    Crash.objects.update(state=Crash.State.DONE)
    assert delete_expired() == (1, False)


def test_a_round_is_bounded_and_the_next_one_goes_on(acme, acme_project, monkeypatch):
    other = make_project(acme, "other")
    monkeypatch.setattr(expiring, "WINDOW", 2)
    monkeypatch.setattr(expiring, "WINDOWS", 2)
    for project in (acme_project, other):
        for _ in range(5):
            make_crash(project, days_old=100)

    assert delete_expired() == (8, True)
    assert delete_expired() == (2, False)
    assert not Crash.objects.exists()


def test_a_round_that_left_something_is_followed_by_another(acme_project, monkeypatch):
    monkeypatch.setattr(expiring, "WINDOW", 1)
    monkeypatch.setattr(expiring, "WINDOWS", 1)
    for _ in range(2):
        make_crash(acme_project, days_old=100)

    tasks.expire()

    assert jobs() == ["crashes.retention.tasks.expire"]


def test_the_periodic_jobs_put_their_work_into_the_queue_once(acme_project, django_capture_on_commit_callbacks):
    for _ in range(2):
        tasks.sweep_expired(0)
        tasks.sweep_unnamed(0)
        tasks.sweep_doomed(0)
    assert jobs() == ["crashes.retention.tasks.expire", "crashes.retention.tasks.orphans"]

    make_crash(acme_project, days_old=100)
    with django_capture_on_commit_callbacks():
        delete_expired()
    tasks.sweep_doomed(0)
    assert jobs()[-1] == "crashes.retention.tasks.empty"


def jobs():
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name FROM procrastinate_jobs ORDER BY id")
        return [name for (name,) in cursor.fetchall()]


def test_a_group_goes_when_it_had_no_crash_for_as_long_as_crashes_are_kept(acme, acme_project):
    forever = make_project(acme, "forever")
    rules(forever, keep_days=UNLIMITED)
    make_group(forever, days_old=1000)
    make_group(acme_project, "1" * 64, days_old=91)
    recent = make_group(acme_project, "2" * 64, days_old=89)
    held = make_group(acme_project, "3" * 64, days_old=91)
    make_crash(acme_project, days_old=1, group=held)
    last = make_group(acme_project, "4" * 64, days_old=91)
    make_crash(acme_project, days_old=91, group=last)

    delete_expired()

    assert list(Group.objects.filter(project=acme_project)) == [recent, held]
    assert Group.objects.filter(project=forever).exists()
