"""A project's rules for crashes: what holds, who may see and set it."""

from __future__ import annotations

import pytest

from crashes import rules
from crashes.models import CrashRules
from crashes.rules import UNLIMITED, OwnRules, rules_lately_of, rules_of, set_rules
from projects.access import SYSTEM
from projects.models import AuditEntry
from tests.cast import Api, make_project, make_token
from tests.crashes.stored import make_crash

pytestmark = pytest.mark.django_db

PATH = "/api/0/projects/acme/native-app/crash-rules/"
DEFAULTS = {
    "keepDays": 90,
    "mostCrashes": None,
    "mostBytes": None,
    "perMinute": 6000,
    "reportBytes": 262_144_000,
}
EMPTY = {"secretNames": [], "inApp": [], "notInApp": []}


@pytest.fixture
def api(acme, acme_project):
    return Api(make_token(acme))


def test_without_rules_of_its_own_a_project_has_those_of_the_settings(api, acme_project):
    make_crash(acme_project, b"x" * 10)

    shown = api.get(PATH)

    assert shown.status_code == 200
    assert shown.json() == {**DEFAULTS, **EMPTY, "defaults": DEFAULTS, "crashes": 1, "usedBytes": 10}


def test_rules_replace_the_ones_before_and_leave_a_trail_without_masks(api, acme_project):
    own = {"keepDays": 7, "mostCrashes": None, "secretNames": ["license_key", "license_key"], "inApp": ["libgame*.so"]}

    changed = api.put(PATH, own)

    assert changed.status_code == 200
    body = changed.json()
    assert (body["keepDays"], body["mostCrashes"], body["perMinute"]) == (7, None, 6000)
    assert (body["secretNames"], body["inApp"], body["notInApp"]) == (["license_key"], ["libgame*.so"], [])
    entry = AuditEntry.objects.get(action="crash_rules.changed")
    assert entry.data["keep_days"] == 7
    assert entry.data["most_crashes"] == UNLIMITED
    assert entry.data["masked_names"] == ["license_key"]
    assert entry.data["in_app"] == ["libgame*.so"]

    assert api.put(PATH, {}).json() | {"crashes": 0, "usedBytes": 0} == {
        **DEFAULTS,
        **EMPTY,
        "defaults": DEFAULTS,
        "crashes": 0,
        "usedBytes": 0,
    }


def test_no_limit_is_told_from_what_the_settings_say(acme_project):
    CrashRules.objects.create(project=acme_project, keep_days=UNLIMITED, per_minute=None, report_bytes=5)

    found = rules_of(acme_project)

    assert (found.keep_days, found.per_minute, found.report_bytes) == (None, 6000, 5)


def test_rules_are_one_query_and_none_where_they_are_asked_many_times(acme_project, django_assert_num_queries):
    with django_assert_num_queries(1):
        rules_of(acme_project)
    with django_assert_num_queries(1):
        assert rules_lately_of(acme_project) == rules_lately_of(acme_project)


def test_what_is_remembered_is_seconds_old_and_forgotten_by_a_change(acme_project, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(rules.time, "monotonic", lambda: clock[0])
    assert rules_lately_of(acme_project).keep_days == 90

    set_rules(project=acme_project, actor=SYSTEM, own=OwnRules(keep_days=7))
    assert rules_lately_of(acme_project).keep_days == 7
    CrashRules.objects.update(keep_days=8)
    assert rules_lately_of(acme_project).keep_days == 7
    clock[0] += 5
    assert rules_lately_of(acme_project).keep_days == 8


@pytest.mark.parametrize(
    "body",
    [
        {"keepDays": 0},
        {"keepDays": -1},
        {"keepDays": 36_501},
        {"keepDays": "7"},
        {"keepDays": True},
        {"mostBytes": 1 << 63},
        {"perMinute": 1 << 31},
        {"secretNames": None},
        {"secretNames": [""]},
        {"secretNames": ["x" * 201]},
        {"secretNames": ["x"] * 201},
        {"inApp": ["a\x00b"]},
        {"inApp": "libgame.so"},
        {"unknown": 1},
        [],
        None,
    ],
    ids=str,
)
def test_what_is_no_rule_is_refused(api, body):
    refused = api.put(PATH, body if body is not None else "null")

    assert refused.status_code == 400
    assert refused.json()["detail"]
    assert not CrashRules.objects.exists()


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_rules_are_for_those_who_may_see_or_change_the_project(acme, acme_project, umbrella, method, member, stranger):
    other = make_project(acme, "other")
    statuses = {
        "no token": Api(),
        "other organization": Api(make_token(umbrella)),
        "other project": Api(make_token(acme, other)),
        "wrong scope": Api(make_token(acme, scopes=["event:read", "error:post"])),
        "stranger": Api(user=stranger),
        "reader": Api(make_token(acme, scopes=["project:read"])),
        "member": Api(user=member),
        "writer": Api(make_token(acme, scopes=["project:write"])),
    }

    found = {
        name: api.request(method, PATH, {} if method == "PUT" else None).status_code for name, api in statuses.items()
    }

    reads = 200 if method == "GET" else 403
    assert found == {
        "no token": 401,
        "other organization": 401,
        "other project": 404,
        "wrong scope": 403,
        "stranger": 404,
        "reader": reads,
        "member": reads,
        "writer": 200,
    }
