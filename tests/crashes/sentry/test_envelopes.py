"""Envelopes: what is stored of them, and what is not."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import brotli
import pytest
from django.test import Client

from core.wire.newer_codings import zstd
from crashes.models import Attachment, Crash
from crashes.rules import OwnRules, set_rules
from crashes.sentry import late
from projects.access import SYSTEM
from tests.cast import make_project
from tests.crashes.sentry.sending import (
    DUMP,
    content,
    envelope,
    event,
    item,
    line,
    of_event,
    refusal,
    sender_of,
)

TOLD = event(
    release="shop@1.2",
    environment="prod",
    level="error",
    server_name="web-1",
    transaction="/cart",
    tags={"color": "red", "password": "hunter2"},
    user={"id": "7", "email": "someone@example.com"},
    contexts={"os": {"type": "os", "name": "Linux", "version": "6.1"}, "device": {"cores": 8, "list": [1]}},
    sdk={"name": "sentry.python", "version": "2.75.0"},
    exception={
        "values": [
            {"type": "ValueError", "value": "broken", "stacktrace": {"frames": [{"function": "inner"}]}},
            {"type": "RuntimeError", "value": "outer"},
        ]
    },
)


def test_an_event_becomes_a_crash_as_it_was_sent(sender):
    answer = sender.post("envelope/", of_event(TOLD))
    assert (answer.status_code, answer.json()) == (200, {"id": TOLD["event_id"]})

    crash = Crash.objects.get()
    assert (crash.format, crash.door, crash.state) == ("event", "sentry", Crash.State.PENDING)
    assert crash.uuid == UUID(TOLD["event_id"])
    assert crash.project == sender.key.project
    assert crash.occurred_at == datetime.fromtimestamp(1_790_000_000.5, UTC)
    assert crash.classifiers == ["ValueError", "RuntimeError"]
    assert content(crash) == json.dumps(TOLD).encode()
    assert crash.attributes == {
        "release": "shop@1.2",
        "environment": "prod",
        "level": "error",
        "platform": "python",
        "server_name": "web-1",
        "transaction": "/cart",
        "error.type": "RuntimeError",
        "error.message": "outer",
        "user.id": "7",
        "user.email": "someone@example.com",
        "sdk.name": "sentry.python",
        "sdk.version": "2.75.0",
        "color": "red",
        "password": "[redacted]",
        "os.name": "Linux",
        "os.version": "6.1",
        "device.cores": 8,
    }


def test_attachments_are_kept_beside_the_event(sender):
    files = [
        item(b"one\ntwo\n", filename="../logs/app.log", content_type="text/plain"),
        item(b"", filename="empty.txt"),
        item(b"to the line end", sized=False),
        item(b"\x00\n\xff", filename="C:\\dumps\\app.log", attachment_type="event.attachment"),
    ]
    assert sender.post("envelope/", of_event(TOLD, *files)).status_code == 200
    stored = [(one.name, one.content_type, content(one)) for one in Attachment.objects.order_by("id")]
    assert stored == [
        ("app.log", "text/plain", b"one\ntwo\n"),
        ("empty.txt", "", b""),
        ("attachment", "", b"to the line end"),
        ("app.log", "", b"\x00\n\xff"),
    ]
    crash = Crash.objects.get()
    assert crash.stored_bytes == crash.size + 8 + 15 + 3


def test_the_same_event_twice_is_one_crash_and_another_under_its_id_is_refused(sender):
    for _ in range(3):
        assert sender.post("envelope/", of_event(TOLD, item(b"x"))).json() == {"id": TOLD["event_id"]}
    assert (Crash.objects.count(), Attachment.objects.count()) == (1, 1)

    status, reason = refusal(sender.post("envelope/", of_event(TOLD | {"level": "fatal"})))
    assert status == 400
    assert "uuid" in reason
    assert Crash.objects.count() == 1


def test_equal_ids_in_two_projects_are_two_crashes(sender, acme):
    other = sender_of(make_project(acme, "other"))
    for one in (sender, other):
        assert one.post("envelope/", of_event(TOLD)).status_code == 200
    assert {crash.project_id for crash in Crash.objects.all()} == {sender.key.project_id, other.key.project_id}


@pytest.mark.parametrize(
    ("header", "inside"),
    [("given", "other"), ("given", None), (None, "given"), ("not an id", "given"), ("0" * 32, "given")],
)
def test_the_id_is_the_headers_and_else_the_events(sender, header, inside):
    ids = {"given": uuid4().hex, "other": uuid4().hex}
    told = {key: value for key, value in TOLD.items() if key != "event_id"}
    told |= {"event_id": ids[inside]} if inside else {}
    named = {"event_id": ids.get(header, header)} if header else {}
    answer = sender.envelope(item(json.dumps(told).encode(), "event"), **named)
    assert answer.json() == {"id": ids["given"]}
    assert Crash.objects.get().uuid == UUID(ids["given"])


def test_an_event_without_any_id_gets_one(sender):
    answer = sender.envelope(item(b"{}", "event"))
    assert Crash.objects.get().uuid == UUID(answer.json()["id"])


def test_a_dump_among_the_attachments_is_the_report_and_the_event_its_attributes(sender):
    files = [item(DUMP, filename="a.dmp", attachment_type="event.minidump"), item(b"log", filename="a.log")]
    told = event(release="app@3", platform="native")
    assert sender.post("envelope/", of_event(told, *files)).json() == {"id": told["event_id"]}

    crash = Crash.objects.get()
    assert (crash.format, content(crash)) == ("minidump", DUMP)
    assert crash.attributes["release"] == "app@3"
    stored = {one.name: content(one) for one in Attachment.objects.all()}
    assert stored == {"a.log": b"log", "__sentry-event": json.dumps(told).encode()}


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_a_dump_that_is_packed_by_itself_is_unpacked(sender, pack):
    assert sender.envelope(item(pack(DUMP), attachment_type="event.minidump")).status_code == 200
    assert content(Crash.objects.get()) == DUMP


def test_of_two_dumps_the_second_is_an_attachment(sender):
    first, second = (item(DUMP + bytes([n]), attachment_type="event.minidump") for n in (1, 2))
    assert sender.envelope(first, second).status_code == 200
    assert content(Crash.objects.get()) == DUMP + b"\x01"
    assert [(one.name, content(one)) for one in Attachment.objects.all()] == [("minidump.dmp", DUMP + b"\x02")]


def test_apples_report_makes_a_crash_even_without_an_event(sender):
    report = item(b"Incident Identifier: 1", attachment_type="event.applecrashreport", filename="app.crash")
    assert sender.envelope(report, event_id="ab" * 16).json() == {"id": "ab" * 16}
    crash = Crash.objects.get()
    assert (crash.format, content(crash)) == ("event", b"{}")
    assert content(Attachment.objects.get()) == b"Incident Identifier: 1"


@pytest.mark.parametrize(
    "type_",
    ["session", "sessions", "client_report", "transaction", "profile", "log", "check_in", "user_report", "feedback"]
    + ["replay_event", "replay_recording", "statsd", "span", "nothing that exists yet"],
)
def test_what_is_no_crash_is_answered_and_dropped(sender, type_):
    answer = sender.envelope(item(b'{"any": "thing"}', type_), event_id="cd" * 16)
    assert (answer.status_code, answer.json()) == (200, {"id": "cd" * 16})
    assert sender.envelope(item(b"\xff\n\x00", type_)).json() == {}
    assert not Crash.objects.exists()


def test_an_event_is_found_among_what_is_dropped(sender):
    body = envelope(
        item(b"{}", "session", sized=False),
        item(b"x\ny", "profile_chunk"),
        item(json.dumps(TOLD).encode(), "event", sized=False),
        item(b"{}", "client_report"),
        event_id=TOLD["event_id"],
    )
    assert sender.post("envelope/", body).status_code == 200
    assert content(Crash.objects.get()) == json.dumps(TOLD).encode()


class TestLateAttachments:
    def test_files_for_an_event_that_came_before_are_added_once(self, sender):
        sender.post("envelope/", of_event(TOLD))
        for _ in range(2):
            answer = sender.envelope(item(b"later", filename="late.txt"), event_id=TOLD["event_id"])
            assert answer.json() == {"id": TOLD["event_id"]}
        assert [(one.name, content(one)) for one in Attachment.objects.all()] == [("late.txt", b"later")]
        crash = Crash.objects.get()
        assert crash.stored_bytes == crash.size + 5

    @pytest.mark.parametrize("header", [{}, {"event_id": "ef" * 16}], ids=["no id", "an id of nothing"])
    def test_files_for_no_event_are_refused(self, sender, header):
        status, reason = refusal(sender.envelope(item(b"later"), **header))
        assert (status, "no event" in reason) == (400, True)

    def test_a_crash_of_another_project_gets_nothing(self, sender, umbrella_project):
        sender.post("envelope/", of_event(TOLD))
        answer = sender_of(umbrella_project).envelope(item(b"later"), event_id=TOLD["event_id"])
        assert answer.status_code == 400
        assert not Attachment.objects.exists()

    def test_they_have_an_end(self, sender, monkeypatch):
        monkeypatch.setattr(late, "MOST_ATTACHMENTS", 3)
        sender.post("envelope/", of_event(TOLD))
        files = [item(b"%d" % number) for number in range(4)]
        for sent, status in ((files[:2], 200), (files[2:], 413), (files[2:3], 200), (files[3:], 413)):
            assert sender.envelope(*sent, event_id=TOLD["event_id"]).status_code == status
        assert Attachment.objects.count() == 3

    def test_they_may_take_as_much_again_as_a_report(self, sender):
        set_rules(project=sender.key.project, actor=SYSTEM, own=OwnRules(report_bytes=10_000))
        sender.post("envelope/", of_event(TOLD))
        sent = [sender.envelope(item(bytes([n]) * 9_000), event_id=TOLD["event_id"]).status_code for n in range(3)]
        assert sent == [200, 200, 413]


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", __import__("zlib").compress),
        ("br", brotli.compress),
        ("zstd", zstd.compress),
    ],
    ids=["gzip", "deflate", "br", "zstd"],
)
def test_every_coding_that_clients_use_is_unpacked(sender, coding, pack):
    answer = sender.post("envelope/", pack(of_event(TOLD)), **{"content-encoding": coding})
    assert answer.json() == {"id": TOLD["event_id"]}
    assert content(Crash.objects.get()) == json.dumps(TOLD).encode()


@pytest.mark.parametrize(
    ("items", "status", "reason"),
    [
        ([item(b"[]", "event")], 400, "the event cannot be read"),
        ([item(b"{", "event")], 400, "the event cannot be read"),
        ([item(b"", "event")], 400, "the event cannot be read"),
        ([item(b"{}", "event"), item(b"{}", "event")], 400, "at most one event"),
        ([item(b"no dump", attachment_type="event.minidump")], 400, "no minidump"),
        ([item(gzip.compress(b"no dump"), attachment_type="event.minidump")], 400, "no minidump"),
        ([item(gzip.compress(DUMP)[:-9], attachment_type="event.minidump")], 400, "ended early"),
        ([item(b"x", "unreal_report")], 400, "unreal_report"),
        ([item(b"{}", "event"), line({"length": 1})], 400, "an item's header"),
        ([item(b"{}", "event"), *[item(b"x")] * 101], 413, "more than 100 attachments"),
        ([item(b'{"a": "' + b"x" * (2 << 20) + b'"}', "event")], 413, "more than 2097152 bytes"),
        ([item(b"{}", "session")] * 501, 413, "more than 500 items"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_taken_is_refused_whole(sender, items, status, reason):
    given = refusal(sender.envelope(*items))
    assert (given[0], reason in given[1]) == (status, True), given
    assert not Crash.objects.exists()


def test_a_bomb_ends_at_the_projects_limit(sender):
    set_rules(project=sender.key.project, actor=SYSTEM, own=OwnRules(report_bytes=1 << 20))
    for type_ in ("attachment", "session"):
        bomb = gzip.compress(envelope(item(b"{}", "event"), item(bytes(6 << 20), type_)))
        assert sender.post("envelope/", bomb, **{"content-encoding": "gzip"}).status_code == 413
    assert not Crash.objects.exists()


def test_a_projects_rate_is_told_in_the_clients_own_words(sender):
    set_rules(project=sender.key.project, actor=SYSTEM, own=OwnRules(per_minute=2))
    answers = [sender.post("envelope/", of_event(event())) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    seconds = int(answers[-1]["Retry-After"])
    assert 0 < seconds <= 60
    assert answers[-1]["X-Sentry-Rate-Limits"] == f"{seconds}::project"
    assert "2 reports a minute" in refusal(answers[-1])[1]
    # What is dropped anyway counts for nothing.
    assert sender.envelope(item(b"{}", "session")).status_code == 200
    assert Crash.objects.count() == 2


def test_browsers_are_let_in_from_everywhere(sender):
    asked = {"origin": "https://shop.example", "access-control-request-headers": "x-sentry-auth"}
    path = f"/api/{sender.key.project_id}/envelope/"
    answer = Client().options(path, headers=asked)
    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "x-sentry-auth" in answer["Access-Control-Allow-Headers"]
    assert "POST" in answer["Access-Control-Allow-Methods"]
    answer = sender.post("envelope/", of_event(TOLD), origin="https://shop.example")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "retry-after" in answer["Access-Control-Expose-Headers"]
    assert Client().get(path).status_code == 405
