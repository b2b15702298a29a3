"""The lists stay fast among many crashes: the plans of their queries use the indexes that are there for them."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import RequestFactory
from rest_framework.request import Request

from crashes.models import Crash, Group
from crashes.pages.lists_figures import group_rows
from crashes.rest.paging import Edge, paginate_by
from crashes.searching import matching_crashes, matching_groups, read_query, read_words
from tests.crashes.grouping.making import grouped

pytestmark = pytest.mark.django_db


def request(query: str) -> Request:
    made = RequestFactory().get(f"/?{query}")
    made.user = AnonymousUser()
    return Request(made)


def indexes(rows, field: str, query: str = "") -> set[str]:
    """The indexes that the query of a page uses where reading a whole table is not to be thought of."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    with CaptureLast() as captured:
        paginate_by(request(query), rows, field)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {captured.sql}")
        (plan,) = cursor.fetchone()
    return set(names(plan if isinstance(plan, list) else json.loads(plan)))


class CaptureLast:
    """The last statement that was sent, with its values."""

    def __enter__(self):
        connection.force_debug_cursor, self._before = True, connection.force_debug_cursor
        connection.queries_log.clear()
        return self

    def __exit__(self, *_):
        self.sql = connection.queries_log[-1]["sql"]
        connection.force_debug_cursor = self._before


def names(plan):
    for node in plan if isinstance(plan, list) else [plan]:
        if "Index Name" in node:
            yield node["Index Name"]
        for inner in ("Plan", "Plans"):
            if inner in node:
                yield from names(node[inner])


CRASHES = [
    ("all", "", "crash_newest"),
    ("next-page", f"cursor={Edge(10**15, 5, False)}", "crash_newest"),
    ("page-before", f"cursor={Edge(10**15, 5, True)}", "crash_newest"),
    ("group", "group=7", "crash_newest_of_group"),
    ("version", "version=1.0", "crash_newest_of_version"),
    ("since", "since=2026-01-01T00:00:00Z", "crash_newest"),
]


def of_many_versions(made: Crash) -> None:
    """Fill the table, and count what is in it: on an empty one any index is as good as another."""
    Crash.objects.bulk_create(
        Crash(
            **{name: getattr(made, name) for name in ("project", "format", "door", "blob_key", "sha256")},
            **{name: getattr(made, name) for name in ("size", "stored_bytes", "received_at")},
            rxid=f"many-{number}",
            version=f"0.{number % 50}",
        )
        for number in range(100)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE crashes_crash")


@pytest.mark.parametrize(("query", "index"), [row[1:] for row in CRASHES], ids=[row[0] for row in CRASHES])
def test_crashes_are_found_in_the_order_of_an_index(acme_project, query, index):
    made = grouped(acme_project, "post")
    of_many_versions(made)
    assert indexes(matching_crashes(acme_project, read_query(request(query).query_params)), "received_at", query) == {
        index
    }


@pytest.mark.parametrize(
    ("field", "index"),
    [("last_seen", "crash_group_latest"), ("first_seen", "crash_group_newest"), ("count", "crash_group_largest")],
)
def test_groups_are_found_in_the_order_of_an_index(acme_project, field, index):
    grouped(acme_project, "post")
    assert indexes(Group.objects.filter(project=acme_project, count__gt=0), field) == {index}


@pytest.mark.parametrize("words", ["fn:post", "module:libledger"])
def test_groups_are_found_by_names_through_an_index(acme_project, words):
    grouped(acme_project, "post")
    rows = matching_groups(acme_project, read_words(words)[0])
    assert "crash_groups_by_name" in indexes(rows, "last_seen")


def test_the_unnamed_of_groups_are_counted_in_an_index(acme_project):
    group = grouped(acme_project, "post").group
    with CaptureLast() as captured:
        group_rows(acme_project, [group])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {captured.sql}")
        (plan,) = cursor.fetchone()
    assert "crash_unnamed" in set(names(plan if isinstance(plan, list) else json.loads(plan)))


def test_a_list_costs_as_many_queries_however_long_it_is(acme_project, django_assert_num_queries):
    for _ in range(5):
        grouped(acme_project, "post")
    with django_assert_num_queries(1):
        paginate_by(request(""), Crash.objects.filter(project=acme_project), "received_at")
