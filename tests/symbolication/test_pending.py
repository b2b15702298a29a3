"""Pending requests: what their rows say over time, to whom, and until when."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db import connection

from projects.models import Organization
from symbolication import pending, sweeping
from symbolication.models import PendingRequest
from symbolication.pending import Seen, State

pytestmark = pytest.mark.django_db


def announced(organization_id: int | None = None, seconds_left: float = 900) -> UUID:
    request_id = uuid4()
    pending.announce(request_id, organization_id, seconds_left)
    return request_id


def aged(request_id: UUID, seconds: float) -> None:
    """Let so much time pass for one row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE symbolication_pendingrequest SET lease_until = lease_until - make_interval(secs => %(by)s),"
            " deadline = deadline - make_interval(secs => %(by)s),"
            " finished_at = finished_at - make_interval(secs => %(by)s) WHERE id = %(id)s",
            {"by": seconds, "id": request_id},
        )


def test_the_table_is_unlogged() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'symbolication_pendingrequest'")
        assert cursor.fetchone() == ("u",)


def test_an_announced_request_is_running_until_it_is_finished() -> None:
    request_id = announced()

    assert pending.read(request_id, None) == Seen(State.RUNNING)

    pending.finish(request_id, None, b'{"status":"completed"}')

    assert pending.read(request_id, None) == Seen(State.FINISHED, b'{"status":"completed"}')


def test_a_result_may_be_asked_for_any_number_of_times_for_90_seconds() -> None:
    request_id = announced()
    pending.finish(request_id, None, b"{}")

    aged(request_id, 85)
    assert [pending.read(request_id, None).state for _ in range(3)] == [State.FINISHED] * 3

    aged(request_id, 10)
    assert pending.read(request_id, None) == Seen(State.GONE)


def test_a_result_that_comes_before_the_announcement_survives_it() -> None:
    request_id = uuid4()

    pending.finish(request_id, None, b"early")
    pending.announce(request_id, None, 900)

    assert pending.read(request_id, None) == Seen(State.FINISHED, b"early")


def test_a_request_of_another_organization_does_not_exist(acme: Organization, umbrella: Organization) -> None:
    request_id = announced(acme.id)

    assert pending.read(request_id, acme.id).state == State.RUNNING
    assert pending.read(request_id, umbrella.id) == Seen(State.GONE)
    assert pending.read(request_id, None) == Seen(State.GONE)


def test_a_request_without_an_organization_is_not_an_organizations(acme: Organization) -> None:
    assert pending.read(announced(None), acme.id) == Seen(State.GONE)


def test_an_unknown_request_is_gone() -> None:
    assert pending.read(uuid4(), None) == Seen(State.GONE)


def test_a_request_whose_owner_is_silent_for_longer_than_its_lease_is_abandoned() -> None:
    request_id = announced()

    aged(request_id, pending.LEASE_SECONDS - 2)
    assert pending.read(request_id, None).state == State.RUNNING

    aged(request_id, 3)
    assert pending.read(request_id, None).state == State.ABANDONED


def test_a_renewed_lease_keeps_the_request_running() -> None:
    request_id, other = announced(), announced()
    for row in (request_id, other):
        aged(row, 14)

    pending.renew([request_id])
    for row in (request_id, other):
        aged(row, 5)

    assert pending.read(request_id, None).state == State.RUNNING
    assert pending.read(other, None).state == State.ABANDONED


def test_an_owner_that_comes_back_after_its_lease_may_still_finish() -> None:
    request_id = announced()
    aged(request_id, 30)

    pending.finish(request_id, None, b"late")

    assert pending.read(request_id, None) == Seen(State.FINISHED, b"late")


def test_after_the_hard_limit_a_request_has_timed_out_even_with_a_living_owner() -> None:
    request_id = announced(seconds_left=5)
    aged(request_id, 6)

    assert pending.read(request_id, None).state == State.TIMEOUT


def test_sweeping_deletes_what_nobody_can_ask_for_and_nothing_else() -> None:
    running, finished, kept = announced(), announced(), announced()
    abandoned, fresh_abandoned = announced(), announced()
    for row in (finished, kept):
        pending.finish(row, None, b"{}")
    aged(finished, 95)
    aged(kept, 60)
    aged(abandoned, 15 + 95)
    aged(fresh_abandoned, 15 + 60)

    assert pending.sweep() == 2

    assert set(PendingRequest.objects.values_list("id", flat=True)) == {running, kept, fresh_abandoned}


def test_sweeping_by_the_way_happens_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "_next", 0.0)
    for expected in (0, 1):
        row = announced()
        pending.finish(row, None, b"{}")
        aged(row, 95)
        sweeping.sweep_now_and_then()
        assert PendingRequest.objects.count() == expected


def test_deleting_an_organization_deletes_its_requests(acme: Organization) -> None:
    announced(acme.id)

    Organization.objects.filter(id=acme.id).delete()

    assert not PendingRequest.objects.exists()
