"""What a submission asks for beside its report: in the query, in the form, or among the attributes."""

from __future__ import annotations

import base64
import json

import pytest

from crashes.models import Crash, Group
from crashes.submission import waiting
from tests.cast import make_token
from tests.crashes.submission.conftest import DUMP, Reporter, refusal, the_crash

DIGEST = "ab" * 32


@pytest.fixture
def in_sync(acme_project) -> Reporter:
    return Reporter(make_token(acme_project.organization, acme_project, ["error:post", "sync:post"]))


@pytest.fixture
def processed(monkeypatch, acme_project):
    """Processing that ends at once, with these fields; how often somebody waited for it."""
    waits = []

    def make(**changes):
        def wait(crash_id, seconds):
            waits.append(seconds)
            Crash.objects.filter(pk=crash_id).update(**changes)
            return Crash.objects.get(pk=crash_id)

        monkeypatch.setattr(waiting, "wait_until_done", wait)
        return waits

    return make


def grouped(project) -> dict:
    group, _ = Group.objects.get_or_create(
        project=project,
        fingerprint=DIGEST,
        defaults={"first_seen": "2026-01-01T00:00Z", "last_seen": "2026-01-01T00:00Z"},
    )
    return {"state": "done", "fingerprint": DIGEST, "group": group}


def test_who_waits_gets_what_became_of_the_crash(in_sync, processed, acme_project):
    waits = processed(**grouped(acme_project))
    first = in_sync.send("minidump", DUMP, query="_mod_sync=1").json()
    crash = Crash.objects.get(rxid=first["_rxid"])
    assert first | {"_rxid": ""} == {
        "response": "ok", "_rxid": "", "object": format(crash.pk, "x"), "state": "done", "fingerprint": DIGEST,
        "unique": True, "buckets": {},
    }  # fmt: skip
    second = in_sync.form("minidump", [("upload_file", DUMP), ("_mod_sync", b"")]).json()
    assert (second["unique"], second["fingerprint"]) == (False, DIGEST)
    assert len(waits) == 2


def test_without_the_scope_nobody_waits(reporter, processed):
    waits = processed(state="done")
    answer = reporter.send("minidump", DUMP, query="_mod_sync=1")
    assert set(answer.json()) == {"response", "_rxid"}
    assert waits == []


def test_what_is_not_ready_in_time_is_answered_as_it_is(in_sync, processed):
    processed(state="running")
    answer = in_sync.send("json", {"attributes": {"_mod_sync": True}}).json()
    assert (answer["state"], "fingerprint" in answer) == ("running", False)
    assert the_crash(in_sync.send("json", {"attributes": {"_mod_sync": True}})).attributes == {}


def test_who_finds_too_many_waiting_is_answered_at_once(in_sync, processed, monkeypatch):
    import threading

    waits = processed(state="done")
    monkeypatch.setattr(waiting, "_waiters", threading.BoundedSemaphore(1))
    with waiting._waiters:
        assert in_sync.send("minidump", DUMP, query="_mod_sync=1").json()["state"] == "pending"
    assert waits == []
    assert in_sync.send("minidump", DUMP, query="_mod_sync=1").json()["state"] == "done"


def test_a_crash_deleted_while_somebody_waits_is_still_accepted(in_sync, monkeypatch):
    def wait(crash_id, _seconds):
        Crash.objects.filter(pk=crash_id).delete()
        return Crash.objects.get(pk=crash_id)

    monkeypatch.setattr(waiting, "wait_until_done", wait)
    answer = in_sync.send("minidump", DUMP, query="_mod_sync=1")
    assert (answer.status_code, answer.json()["response"]) == (200, "ok")


def test_a_log_says_what_was_done(reporter):
    lines = reporter.send("minidump", DUMP, query="_mod_log=1&a=b").json()["log"]
    assert "minidump" in lines[0]
    assert str(len(DUMP)) in lines[0]
    assert "attributes: 1" in lines


@pytest.mark.parametrize("place", ["query", "form", "attributes"])
def test_modifiers_are_kept_apart_from_attributes(reporter, place):
    given = {"_mod_faulting_tid": "77", "_mod_duplicate": "3", "_mod_unknown": "x", "version": "1"}
    report = json.dumps({"attributes": given if place == "attributes" else {}}).encode()
    fields = [(name, value.encode()) for name, value in given.items()] if place == "form" else []
    query = "&".join(f"{name}={value}" for name, value in given.items()) if place == "query" else ""
    crash = the_crash(reporter.form("json", [*fields, ("upload_file", report)], query))
    assert crash.modifiers == {"_mod_faulting_tid": "77", "_mod_duplicate": "3"}
    assert crash.attributes == {"version": "1"}


def test_a_modifier_is_short_and_storable(reporter):
    crash = the_crash(reporter.send("json", {"attributes": {"_mod_log": ["\x00" * 500]}}, query="_mod_duplicate=%00"))
    assert crash.modifiers["_mod_duplicate"] == "\ufffd"
    assert len(crash.modifiers["_mod_log"]) == 200


@pytest.mark.parametrize(
    ("report", "query", "fingerprint"),
    [
        ({"fingerprint": base64.b64encode(bytes.fromhex(DIGEST)).decode()}, "", DIGEST),
        ({"fingerprint": "cd" * 32}, f"_mod_fingerprint={DIGEST}", DIGEST),
        ({"attributes": {"fingerprint": DIGEST}}, "", DIGEST),
        ({"attributes": {"_mod_fingerprint": DIGEST, "fingerprint": "cd" * 32}}, "", DIGEST),
        ({"fingerprint": "nonsense"}, "_mod_fingerprint=sha256", ""),
    ],
    ids=["report", "query", "attribute", "modifier", "none"],
)
def test_a_fingerprint_that_the_client_chose(reporter, report, query, fingerprint):
    assert the_crash(reporter.send("json", report, query=query)).client_fingerprint == fingerprint


def test_a_fingerprint_of_a_dump(reporter):
    crash = the_crash(reporter.form("minidump", [("upload_file", DUMP), ("_mod_fingerprint", DIGEST.encode())]))
    assert crash.client_fingerprint == DIGEST


def test_an_empty_bucket_header_and_a_wrong_scope_change_nothing(reporter, acme_project):
    assert the_crash(reporter.send("minidump", DUMP, **{"x-submission-bucket": "whatever"}))
    other = Reporter(make_token(acme_project.organization, acme_project, ["sync:post"]))
    assert refusal(other.send("minidump", DUMP))[0] == 403
