"""A crash as it is when the work begins."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Model

from core.postgresql.direct import first_row
from core.postgresql.loading import Loading
from crashes.again import Revisions
from crashes.models import Crash, CrashRules, Group
from crashes.processing.taking import take
from crashes.reports.context import Context
from crashes.rules import rules_of
from projects.models import Project
from tests.crashes.processing.crashes import claimed, expire, make_crash

pytestmark = pytest.mark.django_db


def values(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def rich(project: Project) -> Crash:
    """A crash with something in every kind of column."""
    attributes: dict[str, Any] = {"a": 1, "b": 2.5, "big": 2**70, "c": None, "d": True, "é": "ü"}
    more = {
        "classifiers": ["x", "y"],
        "modifiers": {"_mod_sync": "1"},
        "uuid": uuid4(),
        "client_fingerprint": "ab" * 32,
    }
    return make_crash(project, attributes=attributes, **more)


def test_what_is_taken_is_what_a_query_set_gives(acme_project: Project) -> None:
    Project.objects.filter(pk=acme_project.pk).update(files_revision=4, sources_revision=6)
    claim = claimed(rich(acme_project))

    taken = take(claim)

    assert taken is not None
    assert values(taken[0]) == values(Crash.objects.get(pk=claim.crash_id))
    assert taken[1] == Revisions(files=4, sources=6)


def test_the_project_is_read_anew_for_each_report(acme_project: Project, django_assert_num_queries: Any) -> None:
    assert Context.of(acme_project.pk).access.project == acme_project
    Project.objects.filter(pk=acme_project.pk).update(files_revision=9)
    expected = Project.objects.select_related("organization").get()
    with django_assert_num_queries(2):
        found = Context.of(acme_project.pk).access
        assert values(found.project) == values(expected)
        assert values(found.organization) == values(found.project.organization) == values(expected.organization)


def test_a_crash_that_is_anothers_by_now_is_not_taken(acme_project: Project) -> None:
    crash = make_crash(acme_project)
    claim = claimed(crash)
    expire(crash)
    claimed(crash)
    assert take(claim) is None


def test_a_group_is_read_as_by_a_query_set(acme_project: Project) -> None:
    crash = make_crash(acme_project)
    Group.objects.create(
        project=acme_project,
        fingerprint="1" * 64,
        first_seen=crash.received_at,
        last_seen=crash.received_at,
        versions={"1.0": 3, "ü": 1},
        platforms={"native": 4},
    )
    loading = Loading(Group)
    row = first_row(f"SELECT {loading.columns} FROM crashes_group", ())
    assert row is not None
    assert values(loading.made(row)) == values(Group.objects.get())


def test_rules_of_a_project_are_its_own_over_the_settings(acme_project: Project) -> None:
    without = rules_of(acme_project)
    CrashRules.objects.create(project=acme_project, in_app=["ours"], secret_names=["pin"], keep_days=3)
    found = rules_of(acme_project)
    assert (without.in_app, found.in_app, found.secret_names, found.keep_days) == ((), ("ours",), ("pin",), 3)
    assert found.most_crashes == without.most_crashes
