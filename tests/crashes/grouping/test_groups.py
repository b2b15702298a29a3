"""What groups count: each crash once, wherever it belongs now."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from crashes.grouping import assign
from crashes.grouping.groups import MOST_COUNTED, Placed, counted, moment_of
from crashes.models import Crash, Group
from tests.cast import make_organization, make_project
from tests.crashes.grouping.making import grouped, make_crash, processed, stack

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def counts() -> dict[str, int]:
    return {group.culprit: group.count for group in Group.objects.all()}


@pytest.mark.django_db
class TestCounting:
    def test_the_first_crash_makes_the_group_and_the_next_joins_it(self, acme_project):
        first, second = make_crash(acme_project), make_crash(acme_project)
        assert processed(first, stack("post", "main")) is True
        assert processed(second, stack("post", "main")) is False
        group = Group.objects.get()
        assert (group.count, group.title, group.culprit) == (2, "SIGSEGV", "post")
        assert {first.group_id, second.group_id} == {group.pk}
        assert first.fingerprint == second.fingerprint == group.fingerprint

    def test_a_crash_that_is_processed_again_counts_once(self, acme_project):
        crash = make_crash(acme_project)
        assert processed(crash, stack("post")) is True
        assert [processed(crash, stack("post")) for _ in range(3)] == [False] * 3
        group = Group.objects.get()
        assert (group.count, group.versions, group.platforms) == (1, {"1.0": 1}, {"native": 1})

    def test_a_crash_with_another_result_moves(self, acme_project):
        one, other = grouped(acme_project, "0x1", "main"), grouped(acme_project, "0x1", "main", version="1.1")
        assert processed(one, stack("post", "main")) is True
        assert counts() == {"0x1": 1, "post": 1}
        assert Group.objects.get(culprit="0x1").versions == {"1.1": 1}
        assert processed(other, stack("post", "main"), "1.1") is False
        assert counts() == {"post": 2}
        assert Group.objects.get().versions == {"1.0": 1, "1.1": 1}

    def test_a_rolled_back_transaction_counts_nothing(self, acme_project):
        crash = make_crash(acme_project)
        with transaction.atomic():
            processed(crash, stack("post"))
            transaction.set_rollback(True)
        assert not Group.objects.exists()

    def test_projects_have_groups_of_their_own(self, acme_project, umbrella_project):
        ours, theirs = grouped(acme_project, "post"), grouped(umbrella_project, "post")
        assert ours.fingerprint == theirs.fingerprint
        assert ours.group_id != theirs.group_id
        assert [group.count for group in Group.objects.all()] == [1, 1]

    def test_another_version_or_platform_is_counted_anew_without_another_crash(self, acme_project):
        crash = grouped(acme_project, "post")
        processed(crash, stack("post"), "2.0", "jvm")
        group = Group.objects.get()
        assert (group.count, group.versions, group.platforms) == (1, {"2.0": 1}, {"jvm": 1})

    def test_a_version_longer_than_its_column_is_counted_and_taken_back_alike(self, acme_project):
        crash = make_crash(acme_project, version="v" * 250)
        group_of = stack("post")
        with transaction.atomic():
            assign(crash, group_of, Placed("native", "v" * 400))
            crash.save()
        processed(crash, stack("other"), "2.0")
        assert Group.objects.get().versions == {"2.0": 1}

    def test_a_group_that_was_deleted_with_its_crashes_kept_counts_them_again(self, acme_project):
        crash = grouped(acme_project, "post")
        Group.objects.all().delete()
        crash.refresh_from_db()
        assert processed(crash, stack("post")) is True
        assert counts() == {"post": 1}

    def test_the_group_is_called_as_its_newest_member(self, acme_project):
        chosen = {"client_fingerprint": "ab" * 32}
        grouped(acme_project, "0x1", **chosen)
        grouped(acme_project, "post", **chosen)
        assert counts() == {"post": 2}


@pytest.mark.django_db
class TestTimes:
    def test_first_and_last_seen_are_those_of_its_crashes(self, acme_project):
        for hours in (2, 5, 1, 3):
            grouped(acme_project, "post", at=NOW + hours * HOUR)
        group = Group.objects.get()
        assert (group.first_seen, group.last_seen) == (NOW + HOUR, NOW + 5 * HOUR)

    @pytest.mark.parametrize(
        ("occurred", "moment"),
        [(NOW - HOUR, NOW - HOUR), (NOW + HOUR, NOW), (datetime(1970, 1, 1, tzinfo=UTC), NOW), (None, NOW)],
        ids=["earlier", "future", "unset-clock", "unknown"],
    )
    def test_a_clients_clock_is_believed_as_far_as_it_can_be_right(self, acme_project, occurred, moment):
        assert moment_of(Crash(received_at=NOW, occurred_at=occurred)) == moment

    def test_the_crash_that_leaves_takes_its_time_along(self, acme_project):
        first, _, last = (grouped(acme_project, "post", at=NOW + hours * HOUR) for hours in (1, 2, 3))
        processed(first, stack("other"))
        processed(last, stack("other"))
        left = Group.objects.get(culprit="post")
        assert (left.first_seen, left.last_seen) == (NOW + 2 * HOUR, NOW + 2 * HOUR)
        joined = Group.objects.get(culprit="other")
        assert (joined.first_seen, joined.last_seen) == (NOW + HOUR, NOW + 3 * HOUR)


@pytest.mark.django_db
class TestStates:
    def resolved(self, project, at: datetime = NOW) -> Group:
        grouped(project, "post", at=at - HOUR)
        Group.objects.update(state="resolved", resolved_at=at)
        return Group.objects.get()

    def test_a_crash_in_a_resolved_group_opens_it_and_says_by_which_version(self, acme_project):
        self.resolved(acme_project)
        grouped(acme_project, "post", version="2.0", at=NOW + HOUR)
        group = Group.objects.get()
        assert (group.state, group.regressed_at, group.regressed_version) == ("open", NOW + HOUR, "2.0")

    def test_a_crash_from_before_it_was_resolved_does_not(self, acme_project):
        """A client that was offline delivers late."""
        self.resolved(acme_project)
        grouped(acme_project, "post", at=NOW + HOUR, occurred_at=NOW - 2 * HOUR)
        group = Group.objects.get()
        assert (group.state, group.count, group.regressed_at) == ("resolved", 2, None)

    def test_processing_its_crashes_again_does_not(self, acme_project):
        group = self.resolved(acme_project)
        processed(Crash.objects.get(), stack("post"))
        group.refresh_from_db()
        assert group.state == "resolved"

    def test_an_ignored_group_stays_ignored(self, acme_project):
        self.resolved(acme_project)
        Group.objects.update(state="ignored")
        grouped(acme_project, "post", at=NOW + HOUR)
        assert Group.objects.get().state == "ignored"

    @pytest.mark.parametrize("state", ["resolved", "ignored"])
    def test_an_empty_group_that_somebody_has_decided_about_stays(self, acme_project, state):
        self.resolved(acme_project)
        Group.objects.update(state=state)
        crash = Crash.objects.get()
        processed(crash, stack("other"))
        assert counts() == {"post": 0, "other": 1}
        processed(crash, stack("post"))
        assert counts() == {"post": 1}
        assert Group.objects.get().state == state


class TestCounts:
    def test_only_the_commonest_are_kept_and_what_is_new_is(self):
        counts_ = {f"v{number}": number + 2 for number in range(MOST_COUNTED)}
        more = counted(counts_, "new", 1)
        assert len(more) == MOST_COUNTED
        assert more["new"] == 1
        assert "v0" not in more
        assert f"v{MOST_COUNTED - 1}" in more

    def test_what_is_taken_back_to_nothing_goes_and_the_unknown_is_not_counted(self):
        assert counted({"a": 1, "b": 2}, "a", -1) == {"b": 2}
        assert counted({"a": 1}, "never", -1) == {"a": 1}
        assert counted({"a": 1}, "", 1) == {"a": 1}


@pytest.mark.django_db(transaction=True)
class TestBesideEachOther:
    """Threads with connections of their own, all let go at once."""

    def together(self, *works) -> list[Exception]:
        gate, problems = threading.Barrier(len(works)), []

        def run(work):
            try:
                gate.wait(10)
                work()
            except Exception as error:  # noqa: BLE001
                problems.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return problems

    def test_crashes_of_a_new_group_at_once_are_all_counted(self):
        project = make_project(make_organization())
        crashes = [make_crash(project) for _ in range(4)]
        first: list[bool] = []
        works = [lambda crash=crash: first.append(processed(crash, stack("post"))) for crash in crashes]
        assert self.together(*works) == []
        assert counts() == {"post": 4}
        assert sorted(first) == [False, False, False, True]

    def test_crashes_that_move_between_two_groups_in_opposite_directions_wait_for_each_other_at_most(self):
        """Empty groups go and come again meanwhile."""
        project = make_project(make_organization())
        crashes = [grouped(project, "a"), grouped(project, "b"), grouped(project, "a")]

        def walk(crash, names):
            for name in names:
                processed(crash, stack(name))

        works = [
            lambda: walk(crashes[0], ["b", "a"] * 8),
            lambda: walk(crashes[1], ["a", "b"] * 8),
            lambda: walk(crashes[2], ["b", "c", "a"] * 5),
        ]
        assert self.together(*works) == []
        assert counts() == {"a": 2, "b": 1}
        assert Group.objects.get(culprit="a").versions == {"1.0": 2}
