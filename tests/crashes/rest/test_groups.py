"""Groups by REST: lists, details, decisions, grouping again."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from crashes.models import Group, Rerun
from projects.models import AuditEntry
from tests.cast import Api, make_token
from tests.crashes.grouping.making import grouped

pytestmark = pytest.mark.django_db

P = "/api/0/projects/acme/native-app/crashes/"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def api(acme):
    return Api(make_token(acme))


@pytest.fixture
def three(acme_project):
    """Named by what they are first in: largest, newest, and latest."""
    for name, hours in (("largest", 1), ("largest", 2), ("newest", 5), ("latest", 3), ("largest", 4), ("latest", 9)):
        grouped(acme_project, name, at=NOW + hours * HOUR)


def culprits(api: Api, query: str = "") -> list[str]:
    answer = api.get(f"{P}groups/?{query}")
    assert answer.status_code == 200, answer.content
    return [row["culprit"] for row in answer.json()]


def test_sorted_by_what_is_asked(api, three):
    assert culprits(api) == culprits(api, "sort=lastSeen") == ["latest", "newest", "largest"]
    assert culprits(api, "sort=firstSeen") == ["newest", "latest", "largest"]
    assert culprits(api, "sort=count") == ["largest", "latest", "newest"]


@pytest.mark.parametrize("sort", ["lastSeen", "firstSeen", "count"])
def test_each_order_has_pages(api, acme_project, sort):
    for name in "abcde":
        grouped(acme_project, name, at=NOW)
    url, seen = f"{P}groups/?sort={sort}&per_page=2", []
    while url:
        answer = api.get(url)
        seen += [row["culprit"] for row in answer.json()]
        found = re.search(r'<([^>]+)>; rel="next"; results="true"', answer["Link"])
        url = found[1] if found else ""
    assert seen == list("edcba")


def test_filters(api, three):
    Group.objects.filter(culprit="newest").update(state="resolved")
    assert culprits(api, "state=resolved") == ["newest"]
    assert culprits(api, "state=open") == ["latest", "largest"]
    assert culprits(api, "query=LARG") == ["largest"]
    assert culprits(api, "query=sigsegv&state=resolved") == ["newest"]
    assert culprits(api, "query=%25") == []


def test_a_group_that_all_its_crashes_have_left_is_not_listed(api, three):
    Group.objects.filter(culprit="newest").update(count=0, state="ignored")
    assert "newest" not in culprits(api)


@pytest.mark.parametrize("query", ["sort=name", "state=odd", "cursor=7:0:0", "per_page=x"])
def test_a_query_that_makes_no_sense_is_refused(api, acme_project, query):
    assert api.get(f"{P}groups/?{query}").status_code == 400


def test_a_group_says_how_often_where_and_when(api, acme_project):
    today = timezone.now().replace(hour=0, minute=0, second=1)
    for days, version in ((0, "2.0"), (0, "2.0"), (1, "1.0"), (29, "1.0"), (31, "0.9")):
        crash = grouped(acme_project, "post", version=version, at=today - timedelta(days=days))
    newest = api.get(P).json()[0]
    shown = api.get(f"{P}groups/{crash.group_id}/").json()
    assert shown["count"] == 5
    assert list(shown["versions"].items()) == [("1.0", 2), ("2.0", 2), ("0.9", 1)]
    assert shown["platforms"] == {"native": 5}
    counts = [day["count"] for day in shown["days"]]
    assert (len(counts), counts[-1], counts[-2], counts[0], sum(counts)) == (30, 2, 1, 1, 4)
    assert shown["days"][-1]["day"] == today.date().isoformat()
    assert shown["newestCrash"] == newest


def test_deciding_is_recorded_once(api, acme_project):
    group = grouped(acme_project, "post").group
    for _ in range(2):
        answer = api.put(f"{P}groups/{group.pk}/", {"state": "resolved"})
        assert (answer.status_code, answer.json()["state"]) == (200, "resolved")
    assert answer.json()["dateResolved"] is not None
    entry = AuditEntry.objects.get(action="crash_group.changed")
    assert entry.data == {"state": "resolved", "before": "open"}
    assert api.put(f"{P}groups/{group.pk}/", {"state": "open"}).json()["dateResolved"] is None


def test_the_next_crash_opens_a_resolved_group_and_says_so(api, acme_project):
    group = grouped(acme_project, "post").group
    api.put(f"{P}groups/{group.pk}/", {"state": "resolved"})
    grouped(acme_project, "post", version="3.0", at=timezone.now() + HOUR)
    shown = api.get(f"{P}groups/{group.pk}/").json()
    assert (shown["state"], shown["regressedVersion"]) == ("open", "3.0")
    assert shown["dateRegressed"] > shown["firstSeen"]


@pytest.mark.parametrize(
    ("body", "status"),
    [({"state": "odd"}, 400), ({}, 400), ({"state": "open", "count": 0}, 400), ("{", 400), ([], 400), (None, 400)],
    ids=["odd", "empty", "more", "broken", "list", "none"],
)
def test_a_decision_that_makes_no_sense_is_refused(api, acme_project, body, status):
    group = grouped(acme_project, "post").group
    assert api.put(f"{P}groups/{group.pk}/", body).status_code == status
    assert Group.objects.get().state == "open"


def test_grouping_again_is_a_run_that_is_started_once(api, acme_project):
    grouped(acme_project, "post")
    first, second = api.post(f"{P}regroup/"), api.post(f"{P}regroup/")
    assert first.status_code == 202
    assert first.json() == second.json()
    assert (first.json()["state"], first.json()["done"], first.json()["total"]) == ("running", 0, 1)
    assert Rerun.objects.get().kind == "regroup"
