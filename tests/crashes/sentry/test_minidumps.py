"""Dumps in forms, and the other way of sending one event."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from uuid import UUID, uuid4

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.wire.newer_codings import zstd
from crashes.accepting import _KNOWN
from crashes.models import Attachment, Crash
from crashes.rules import OwnRules, set_rules
from projects.access import SYSTEM
from tests.core.multipart import encoded
from tests.crashes.sentry.sending import DUMP, content, event, refusal

FORM = "multipart/form-data; boundary=b0undary"
UPLOAD = 'Content-Disposition: form-data; name="upload_file_minidump"; filename="a.dmp"'
pack = msgspec.msgpack.encode


def file(name: str, data: bytes, filename: str = "x") -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"; filename="{filename}"', data


def post(sender, *parts, **headers):
    return sender.post("minidump/", encoded(parts), FORM, **headers)


def files():
    return {one.name: content(one) for one in Attachment.objects.all()}


def test_a_dump_in_a_form_is_answered_with_the_events_id(sender):
    answer = post(sender, (UPLOAD, DUMP))
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain")
    crash = Crash.objects.get()
    assert answer.content.decode() == str(crash.uuid)
    assert (crash.format, crash.door, content(crash)) == ("minidump", "sentry", DUMP)
    assert files() == {}


def test_an_earlier_report_is_looked_for_only_where_the_client_chose_the_id(sender):
    told = (file("__sentry-event", pack({"event_id": uuid4().hex})), (UPLOAD, DUMP))
    for parts, looks in (((UPLOAD, DUMP),), 0), (told, 1), (told, 1):
        with CaptureQueriesContext(connection) as queries:
            assert post(sender, *parts).status_code == 200
        assert sum(_KNOWN[:40] in one["sql"] for one in queries) == looks
    assert Crash.objects.count() == 2


@pytest.mark.parametrize(
    "parts",
    [
        [("sentry", b'{"release": "app@1", "tags": {"color": "red"}}')],
        [("sentry[release]", b"app@1"), ("sentry[tags][color]", b"red")],
        [("sentry__2", b', "tags": {"color": "red"}}'), ("sentry__1", b'{"release": "app@1"')],
        [("sentry", b'{"release": "app@0", "tags": {"color": "red"}}'), ("sentry[release]", b"app@1")],
    ],
    ids=["JSON", "brackets", "pieces", "both"],
)
def test_metadata_is_told_in_three_spellings(sender, parts):
    assert post(sender, *parts, (UPLOAD, DUMP)).status_code == 200
    crash = Crash.objects.get()
    assert crash.attributes == {"release": "app@1", "color": "red"}
    assert json.loads(files()["__sentry-event"]) == {"release": "app@1", "tags": {"color": "red"}}


def test_what_sentrys_native_client_sends_is_read(sender):
    told = event(platform="native", release="app@1", contexts={"os": {"name": "Linux"}}, fingerprint=["mine"])
    crumbs = [{"timestamp": f"2026-11-21T00:00:0{n}Z", "message": str(n)} for n in range(4)]
    answer = post(
        sender,
        file("__sentry-event", pack(told)),
        file("__sentry-breadcrumb1", pack(crumbs[2]) + pack(crumbs[3])),
        file("__sentry-breadcrumb2", pack(crumbs[0]) + pack(crumbs[1])),
        file("app.log", b"log", "app.log"),
        ("sentry", b'{"environment": "prod", "contexts": {"app": {"build": "7"}}}'),
        (UPLOAD, DUMP),
    )
    assert answer.content.decode() == str(UUID(told["event_id"]))
    crash = Crash.objects.get()
    assert crash.uuid == UUID(told["event_id"])
    assert crash.attributes == {
        "release": "app@1",
        "platform": "native",
        "environment": "prod",
        "os.name": "Linux",
        "app.build": "7",
    }
    assert len(crash.client_fingerprint) == 64
    stored = files()
    assert stored.pop("app.log") == b"log"
    whole = json.loads(stored.pop("__sentry-event"))
    assert not stored
    assert [crumb["message"] for crumb in whole["breadcrumbs"]["values"]] == ["0", "1", "2", "3"]
    assert whole["contexts"] == {"os": {"name": "Linux"}, "app": {"build": "7"}}


@pytest.mark.parametrize(
    "parts",
    [
        [file("__sentry-event", b"\xc1 nothing")],
        [file("__sentry-event", pack([1, 2]))],
        [file("__sentry-event", b"\x91" * 100_000)],
        [file("__sentry-breadcrumb1", b"\xdb\xff\xff\xff\xff")],
        [file("__sentry-event", b"")],
        [file("__sentry-event", pack({"a": "x" * (1 << 20)}))],
    ],
    ids=["broken", "no object", "deep", "cut off", "empty", "large"],
)
def test_what_cannot_be_read_beside_a_dump_stays_a_file(sender, parts):
    assert post(sender, *parts, (UPLOAD, DUMP)).status_code == 200
    assert content(Crash.objects.get()) == DUMP
    ((_, data),) = parts
    assert list(files().values()) == [data]


def test_deep_objects_are_merged_without_an_end(sender):
    deep = b'{"a":' * 300 + b"1" + b"}" * 300
    parts = [file("__sentry-event", pack(json.loads(deep))), ("sentry", deep), (UPLOAD, DUMP)]
    assert post(sender, *parts).status_code == 200
    assert files()["__sentry-event"] == deep


def test_the_same_event_twice_is_one_crash(sender):
    told = event()
    for _ in range(2):
        assert post(sender, file("__sentry-event", pack(told)), (UPLOAD, DUMP)).status_code == 200
    assert Crash.objects.count() == 1
    assert post(sender, file("__sentry-event", pack(told)), (UPLOAD, DUMP + b"x")).status_code == 400


def test_fields_of_electron_and_crashpad_are_attributes(sender):
    fields = {"_productName": "Shop", "_version": "1.2", "prod": "Electron", "ver": "41.2", "guid": str(uuid4())}
    parts = [(name, value.encode()) for name, value in fields.items()]
    assert post(sender, *parts, ("sentry", b'{"tags": {"prod": "tagged"}}'), (UPLOAD, DUMP)).status_code == 200
    assert Crash.objects.get().attributes == fields | {"prod": "tagged"}


def test_secrets_in_fields_are_masked(sender):
    assert post(sender, ("api_key", b"abc"), ("sentry[tags][password]", b"abc"), (UPLOAD, DUMP)).status_code == 200
    assert Crash.objects.get().attributes == {"api_key": "[redacted]", "password": "[redacted]"}


@pytest.mark.parametrize(("name", "packed"), [("gzip", gzip.compress(DUMP)), ("zstd", zstd.compress(DUMP))])
def test_a_dump_that_is_packed_by_itself_is_unpacked(sender, name, packed):
    assert post(sender, (UPLOAD, packed)).status_code == 200
    assert content(Crash.objects.get()) == DUMP


def test_crashpads_form_is_packed_as_a_whole(sender):
    body = gzip.compress(encoded([("prod", b"Shop"), (UPLOAD, DUMP)]))
    assert sender.post("minidump/", body, FORM, **{"content-encoding": "gzip"}).status_code == 200
    crash = Crash.objects.get()
    assert (content(crash), crash.attributes) == (DUMP, {"prod": "Shop"})


def test_a_body_that_is_a_dump_is_one(sender):
    assert sender.post("minidump/", DUMP, "application/x-dmp").status_code == 200
    assert content(Crash.objects.get()) == DUMP


@pytest.mark.parametrize(
    ("parts", "status", "reason"),
    [
        ([("sentry", b"{}")], 400, "upload_file_minidump"),
        ([], 400, "upload_file_minidump"),
        ([(UPLOAD, b"")], 400, "upload_file_minidump"),
        ([(UPLOAD, b"no dump")], 400, "no minidump"),
        ([(UPLOAD, gzip.compress(b"no dump"))], 400, "no minidump"),
        ([("sentry", b"{"), (UPLOAD, DUMP)], 400, "the field sentry"),
        ([("sentry", b"[]"), (UPLOAD, DUMP)], 400, "the field sentry"),
        ([("sentry", b"[" * 60_000), (UPLOAD, DUMP)], 400, "the field sentry"),
        ([("sentry", b'{"a":' * 900 + b"1" + b"}" * 900), (UPLOAD, DUMP)], 400, "nested too deeply"),
        ([(UPLOAD, gzip.compress(b"MDMP" + bytes(3 << 20)))], 413, "larger than 1048576 bytes"),
        ([(UPLOAD, DUMP), file("log", bytes(3 << 20))], 413, ""),
        ([(UPLOAD, DUMP), *[file("log", b"x")] * 101], 400, "more than 100 files"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_taken_is_refused(sender, parts, status, reason):
    set_rules(project=sender.key.project, actor=SYSTEM, own=OwnRules(report_bytes=1 << 20))
    given = refusal(post(sender, *parts))
    assert (given[0], reason in given[1]) == (status, True), given
    assert not Crash.objects.exists()
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    "name", ["sentry[a]" + "[b]" * 9, "sentry[]", "sentry[a", "sentry__x", "sentry__1234", "sentryrelease", "sentry]["]
)
def test_names_that_only_look_like_metadata_are_attributes(sender, name):
    assert post(sender, (name, b"1"), (UPLOAD, DUMP)).status_code == 200
    assert Crash.objects.get().attributes == {name: "1"}


class TestStore:
    def test_an_event_is_the_body(self, sender):
        told = event(release="old@1", exception=[{"type": "E", "value": "v"}])
        answer = sender.post("store/", json.dumps(told).encode(), "application/json")
        assert (answer.status_code, answer.json()) == (200, {"id": told["event_id"]})
        crash = Crash.objects.get()
        assert (crash.format, crash.classifiers, content(crash)) == ("event", ["E"], json.dumps(told).encode())

    def test_old_clients_pack_it_without_a_word(self, sender):
        told = json.dumps(event()).encode()
        body = base64.b64encode(zlib.compress(told))
        assert sender.post("store/", body, "application/octet-stream").status_code == 200
        assert content(Crash.objects.get()) == told

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"", 400),
            (b"[]", 400),
            (b"{", 400),
            (b"\xff", 400),
            (base64.b64encode(b"no zlib"), 400),
            (base64.b64encode(zlib.compress(b"[]")), 400),
            (base64.b64encode(zlib.compress(b"{" + b" " * (3 << 20) + b"}")), 413),
            (b'{"a": "' + b"x" * (2 << 20) + b'"}', 413),
        ],
        ids=["empty", "list", "cut off", "bytes", "base64", "packed list", "bomb", "large"],
    )
    def test_what_is_no_event_is_refused(self, sender, body, status):
        assert refusal(sender.post("store/", body))[0] == status
        assert not Crash.objects.exists()

    def test_a_bomb_by_content_encoding_ends_at_the_limit(self, sender):
        body = gzip.compress(b"{" + b" " * (30 << 20) + b"}")
        assert sender.post("store/", body, **{"content-encoding": "gzip"}).status_code == 413
