"""The lists stay fast among many crashes: the plans of their queries use the indexes that are there for them."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import RequestFactory
from rest_framework.request import Request

from bench.growth import PLANS
from crashes.models import Crash, Group
from crashes.pages.keys_own import counts
from crashes.pages.lists_figures import group_rows
from crashes.rest.paging import Edge, paginate_by
from crashes.searching import Asked, any_crash, matching_crashes, matching_groups, read_query, read_words
from debugfiles.models import DebugFile
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
    return planned(captured.sql)


def used(statement: str) -> set[str]:
    """The same of a statement."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    return planned(statement)


def planned(statement: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
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
    ("platform", "platform=native", "crash_newest_of_platform"),
    ("system", "os=Linux", "crash_newest_of_system"),
    ("kept", "state=kept", "crash_kept"),
]


KEPT_PLANS = [
    ("crashes", "crash_newest"),
    ("crashes-a-page-amid", "crash_newest"),
    ("crashes-kept", "crash_kept"),
    ("crashes-set-aside", "crash_set_aside"),
    ("crashes-by-version", "crash_newest(?:_of_version)?"),
    ("crashes-by-rare-version", "crash_newest_of_version"),
    ("crashes-by-rare-system", "crash_newest_of_system"),
    ("crashes-by-system-that-nothing-has", "crash_newest_of_system"),
    ("crashes-by-platform-that-nothing-has", "crash_newest_of_platform"),
    ("crashes-by-rare-attribute", "crash_attributes"),
    ("crashes-lacking-what-few-lack", "crashes_that_lack"),
    ("crashes-lacking-what-many-lack", "crash_lacks_once"),
    ("groups", "crash_group_open"),
    ("groups-of-any-state", "crash_group_latest"),
    ("groups-by-count", "crash_group_largest"),
    ("groups-by-function", "crash_groups_by_name"),
    ("groups-by-module", "crash_groups_by_name"),
    ("groups-by-rare-system", "crash_newest_of_system"),
    ("a-group", "crash_newest_of_group"),
    ("a-project-at-a-glance", "crash_group_open"),
    ("debug-files-by-kind", "debug_file_newest_of_type"),
    ("debug-files-by-debug-id-api", "debug_file_by_debug_id"),
    ("debug-files-by-code-id-api", "debug_file_by_code_id"),
]


def of_many_versions(made: Crash) -> None:
    """Fill the table, and count what is in it: on an empty one any index is as good as another."""
    Crash.objects.bulk_create(
        Crash(
            **{name: getattr(made, name) for name in ("project", "format", "door", "blob_key", "sha256")},
            **{name: getattr(made, name) for name in ("size", "stored_bytes", "received_at")},
            rxid=f"many-{number}",
            version=f"0.{number % 50}",
            platform=f"p{number % 30}",
            os_name=f"s{number % 40}",
            state="kept" if number % 50 == 0 else "done",
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


def test_open_groups_are_found_and_counted_in_an_index(acme_project):
    grouped(acme_project, "post")
    rows = Group.objects.filter(project=acme_project, count__gt=0, state="open")
    assert indexes(rows, "last_seen") == {"crash_group_open"}
    with CaptureLast() as captured:
        counts([acme_project])
    assert "crash_group_open" in used(captured.sql)


def test_crashes_that_lack_a_file_are_found_from_the_file_on(acme_project):
    grouped(acme_project, "post")
    rows = matching_crashes(acme_project, Asked(lacking="7514426e-f4e0-e543-bc6e-598c9b4e882f"))
    assert indexes(rows, "received_at") & {"crashes_that_lack", "crash_lacks_once"}


def test_whether_there_is_a_crash_is_told_by_an_index(acme_project):
    with CaptureLast() as captured:
        any_crash(acme_project)
    assert used(captured.sql) == {"crash_newest"}


def test_debug_files_of_a_kind_are_found_in_the_order_of_an_index(acme_project):
    rows = DebugFile.objects.filter(project=acme_project, symbol_type="proguard").order_by("-pk")[:50]
    assert used(str(rows.query).replace("proguard", "'proguard'")) == {"debug_file_newest_of_type"}


@pytest.mark.parametrize(("name", "index"), KEPT_PLANS, ids=[row[0] for row in KEPT_PLANS])
def test_the_plans_that_are_kept_use_the_intended_indexes(name, index):
    text = (PLANS / f"{name}.txt").read_text()
    assert re.search(rf"(?:using|on) {index}\b", text)


def test_no_plan_that_is_kept_reads_all_crashes():
    """But for the sum of what they take, and an attribute of every second crash, looked for to the 10,001st."""
    reading = {path.stem for path in PLANS.glob("*.txt") if "Seq Scan on crashes_crash" in path.read_text()}
    allowed = {"rules-of-crashes", "rules-of-crashes-api", "crashes-by-common-attribute", "groups-by-common-attribute"}
    assert reading <= allowed
    assert len(list(PLANS.glob("*.txt"))) > len(KEPT_PLANS)


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
