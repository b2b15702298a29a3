"""Whose turn it is."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from crashes.models import Crash
from crashes.processing import workforce
from crashes.processing.claims import claim
from crashes.processing.expired import give_back_expired
from projects.models import Organization, Project
from tests.cast import make_project
from tests.crashes.processing.crashes import expire, make_crash, make_due, now_of, seconds_until_due

pytestmark = pytest.mark.django_db


def claimed_ids(times: int, **options: bool) -> list[int | None]:
    found = [claim(**options) for _ in range(times)]
    return [one.crash_id if one else None for one in found]


def test_a_claim_makes_the_crash_the_claimants_for_a_while(acme_project: Project, processing) -> None:
    processing(CRASH_LEASE_SECONDS=45)
    crash = make_crash(acme_project)

    claimed = claim()

    row = now_of(crash)
    assert claimed is not None
    assert (claimed.crash_id, claimed.project_id, claimed.attempt) == (crash.pk, acme_project.pk, 1)
    assert (row.state, row.attempts, row.lease_token) == (Crash.State.RUNNING, 1, claimed.token)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM lease_until - statement_timestamp()) FROM crashes_crash WHERE id = %s",
            [crash.pk],
        )
        assert float(cursor.fetchone()[0]) == pytest.approx(45, abs=1)


def test_there_is_nothing_to_claim_where_nothing_waits(acme_project: Project) -> None:
    for state in (Crash.State.DONE, Crash.State.SET_ASIDE, Crash.State.KEPT):
        make_crash(acme_project, state=state)
    make_crash(acme_project, ago=-60)

    assert claim() is None


def test_crashes_of_a_project_go_in_the_order_they_came(acme_project: Project, processing) -> None:
    processing(CRASHES_AT_ONCE=10)
    late, early, middle = (make_crash(acme_project, ago=ago) for ago in (10, 30, 20))

    assert claimed_ids(4) == [early.pk, middle.pk, late.pk, None]


def test_a_project_with_fewer_crashes_running_comes_first(acme: Organization, acme_project: Project) -> None:
    other = make_project(acme, "other")
    crowd = [make_crash(acme_project, ago=1000 - n) for n in range(5)]
    single = make_crash(other)

    assert claimed_ids(3) == [crowd[0].pk, single.pk, crowd[1].pk]


def test_one_process_is_left_to_other_projects(acme: Organization, acme_project: Project) -> None:
    crowd = [make_crash(acme_project, ago=1000 - n) for n in range(5)]
    assert claimed_ids(3) == [crowd[0].pk, crowd[1].pk, None]

    single = make_crash(make_project(acme, "other"))
    assert claimed_ids(2) == [single.pk, None]


def test_how_many_run_at_once_can_be_set(acme_project: Project, processing) -> None:
    processing(CRASHES_AT_ONCE=1)
    first, _second = make_crash(acme_project, ago=5), make_crash(acme_project)

    assert claimed_ids(2) == [first.pk, None]


def test_a_single_process_serves_projects_in_turn(acme: Organization, processing) -> None:
    processing(CRASH_WORKERS=1)
    projects = [make_project(acme, name) for name in ("flood", "stream", "drop")]
    for number, project in enumerate(projects[:2]):
        for n in range(4):
            make_crash(project, ago=1000 - 100 * number - n)
    make_crash(projects[2])

    served = []
    for _ in range(6):
        claimed = claim(again_first=False)
        assert claimed is not None
        served.append(Project.objects.get(pk=claimed.project_id).slug)
        Crash.objects.filter(pk=claimed.crash_id).update(state=Crash.State.DONE)

    assert served == ["flood", "stream", "drop", "flood", "stream", "flood"]


def test_new_crashes_come_before_those_done_again(acme: Organization, acme_project: Project, processing) -> None:
    processing(CRASHES_AT_ONCE=10)
    again = [make_crash(acme_project, ago=500 - n, priority=1) for n in range(2)]
    new = make_crash(acme_project)
    other_new = make_crash(make_project(acme, "other"))

    found = claimed_ids(2, again_first=False)

    assert set(found) == {new.pk, other_new.pk}
    assert claimed_ids(2, again_first=False) == [again[0].pk, again[1].pk]


def test_crashes_done_again_never_starve(acme_project: Project) -> None:
    again = make_crash(acme_project, priority=1)
    turns = 0
    while now_of(again).state == Crash.State.PENDING:
        make_crash(acme_project, ago=100)
        claimed = claim()
        assert claimed is not None
        Crash.objects.filter(pk=claimed.crash_id).exclude(pk=again.pk).update(state=Crash.State.DONE)
        turns += 1
        assert turns <= 8


def test_a_lease_that_ran_out_is_taken_over_and_counts_as_a_try(acme_project: Project) -> None:
    crash = make_crash(acme_project)
    first = claim()
    expire(crash)

    second = claim()

    assert first is not None
    assert second is not None
    assert (second.crash_id, second.attempt) == (crash.pk, 2)
    assert second.token != first.token


def test_a_crash_that_takes_its_worker_along_each_time_is_set_aside(acme_project: Project, processing) -> None:
    processing(CRASH_TRIES=3)
    crash = make_crash(acme_project)
    for attempt in (1, 2, 3):
        claimed = claim()
        assert claimed is not None
        assert claimed.attempt == attempt
        expire(crash)
        give_back_expired()
        make_due(crash)

    row = now_of(crash)
    assert row.state == Crash.State.SET_ASIDE
    assert "worker process ended" in row.problem
    assert claim() is None


def test_a_crash_that_lost_its_worker_twice_pauses_before_the_next_try(acme_project: Project) -> None:
    crash = make_crash(acme_project)
    for _ in range(2):
        assert claim() is not None
        expire(crash)

    assert claim() is None
    assert now_of(crash).state == Crash.State.PENDING
    assert seconds_until_due(crash) == pytest.approx(10, abs=1)


def test_leases_do_not_outlive_a_clock_that_is_set_back(acme_project: Project) -> None:
    crash = make_crash(acme_project)
    assert claim() is not None
    # The clock of the database goes an hour back: what it gave until then seems to last as much longer.
    expire(crash, seconds=-3600)

    assert claimed_ids(1) == [crash.pk]


def test_a_lease_of_another_machine_with_other_settings_is_respected(acme_project: Project, processing) -> None:
    processing(CRASH_LEASE_SECONDS=600)
    make_crash(acme_project)
    assert claim() is not None

    processing(CRASH_LEASE_SECONDS=5)
    assert claim() is None


@pytest.mark.django_db(transaction=True)
def test_many_processes_at_once_claim_each_crash_once_and_no_more_than_allowed(acme: Organization, processing) -> None:
    processing(CRASHES_AT_ONCE=3)
    projects = [make_project(acme, f"project-{n}") for n in range(4)]
    for project in projects:
        for _ in range(5):
            make_crash(project)
    together = threading.Barrier(8)

    def take(_: int) -> list[tuple[int, int]]:
        together.wait()
        try:
            found = [claim() for _ in range(3)]
        finally:
            connection.close()
        return [(one.crash_id, one.project_id) for one in found if one]

    with ThreadPoolExecutor(8) as threads:
        taken = [pair for pairs in threads.map(take, range(8)) for pair in pairs]

    assert len({crash for crash, _ in taken}) == len(taken) == 12
    counts = {project.pk: sum(1 for _, owner in taken if owner == project.pk) for project in projects}
    assert set(counts.values()) == {3}


@pytest.mark.django_db(transaction=True)
def test_a_crash_whose_row_somebody_holds_is_passed_over(acme_project: Project) -> None:
    held, free = make_crash(acme_project, ago=5), make_crash(acme_project)

    def elsewhere() -> list[int | None]:
        try:
            return claimed_ids(2)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        Crash.objects.select_for_update().get(pk=held.pk)
        assert threads.submit(elsewhere).result(10) == [free.pk, None]


def test_worker_processes_are_counted_wherever_they_are(monkeypatch, processing) -> None:
    processing(CRASH_WORKERS=1)
    monkeypatch.setattr(workforce, "_known", (float("-inf"), 0))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL application_name = 'symbolsvc jobs crashes 0123456789ab'")
        assert workforce._count() == 1
        monkeypatch.setattr(workforce, "_count", lambda: 7)
        assert workforce.worker_processes() == 7
