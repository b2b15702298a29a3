"""Reports by every kind of body, and what is stored of them."""

from __future__ import annotations

import gzip
import json
import zlib
from uuid import UUID

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from crashes.models import Attachment, Crash
from tests.cast import make_token
from tests.core.multipart import encoded
from tests.crashes.submission.conftest import DUMP, FORM, attachments, content, head, refusal, the_crash
from tests.debugfiles.uploading import LEDGER

JSON = b'{"uuid": "0f9d2a4e-5b3c-4c1d-9e8f-7a6b5c4d3e2f", "timestamp": 1795240000, "attributes": {"a": "json", "n": 1}}'
PLCRASH = b"plcrash\x01" + b"\x0a\x00"
MAIN_OF = {"json": JSON, "minidump": DUMP, "plcrash": PLCRASH, "btt": b"anything"}


@pytest.mark.parametrize("format_", MAIN_OF)
@pytest.mark.parametrize(
    "content_type", ["", "application/octet-stream", "application/x-www-form-urlencoded", "text/html; charset=x"]
)
def test_the_body_itself_is_the_report_whatever_its_type_says(reporter, acme_project, format_, content_type):
    crash = the_crash(reporter.send(format_, MAIN_OF[format_], content_type))
    assert (crash.project, crash.format, crash.door) == (acme_project, format_, "backtrace")
    assert content(crash) == MAIN_OF[format_]
    assert (crash.size, crash.stored_bytes) == (len(MAIN_OF[format_]),) * 2
    assert attachments(crash) == []


@pytest.mark.parametrize("format_", ["json", "minidump", "plcrash"])
def test_a_stored_report_waits_and_needs_no_job(reporter, format_):
    crash = the_crash(reporter.send(format_, MAIN_OF[format_]))
    assert (crash.state, crash.attempts, crash.lease_token) == (Crash.State.PENDING, 0, None)
    assert not ProcrastinateJob.objects.exists()


def test_a_format_that_nobody_reads_is_kept(reporter):
    assert the_crash(reporter.send("btt", b"\x00")).state == Crash.State.KEPT


@pytest.mark.parametrize(
    "main",
    ["upload_file", head("upload_file", "a.json"), head("upload_file", "/b/c.json", "text/x"), "upload_file_minidump"],
    ids=["field", "file", "typed", "minidump's"],
)
@pytest.mark.parametrize("format_", MAIN_OF)
def test_a_part_is_known_by_its_name(reporter, format_, main):
    crash = the_crash(reporter.form(format_, [("before", b"1"), (main, MAIN_OF[format_]), ("after", b"2")]))
    assert content(crash) == MAIN_OF[format_]
    assert crash.attributes.items() >= {"before": "1", "after": "2"}.items()
    assert attachments(crash) == []


@pytest.mark.parametrize(
    ("format_", "kept", "beside"),
    [("minidump", "upload_file_minidump", "upload_file"), ("json", "upload_file", "upload_file_minidump")],
)
@pytest.mark.parametrize("order", [1, -1])
def test_of_two_reports_the_formats_own_counts_and_the_other_is_kept_beside_it(reporter, format_, kept, beside, order):
    parts = [(kept, MAIN_OF[format_]), (beside, b"other")][::order]
    crash = the_crash(reporter.form(format_, parts))
    assert content(crash) == MAIN_OF[format_]
    assert attachments(crash) == [(beside, "", b"other")]


@pytest.mark.parametrize(
    ("part", "name", "filename"),
    [
        (head("attachment_app.log", "/srv/app/app.log", "text/plain"), "app.log", "app.log"),
        (head("attachment_bt-breadcrumbs-0"), "bt-breadcrumbs-0", ""),
        (head("attachment.log", "test.log"), "attachment.log", "test.log"),
        (head("session.log", "C:\\\\users\\\\me\\\\session.log"), "session.log", "session.log"),
        (head("attachment_../../etc/passwd", "../../../x"), "passwd", "x"),
        (head("attachment_ünïcødé 漢字.txt", "日本.txt"), "ünïcødé 漢字.txt", "日本.txt"),
        (head("attachment_", "a.bin"), "a.bin", "a.bin"),
        (head("attachment_"), "attachment", ""),
        (head("attachment_a\x00b", "c\x00d"), "a\ufffdb", "c\ufffdd"),
        (head("..", ".."), "..", ".."),
    ],
    ids=["python", "browser", "dot", "crashpad", "path", "unicode", "filename", "nameless", "NUL", "dots"],
)
def test_attachments_keep_their_base_names(reporter, part, name, filename):
    crash = the_crash(reporter.form("json", [("upload_file", b"{}"), (part, b"\x00\xff")]))
    assert attachments(crash) == [(name, filename, b"\x00\xff")]
    assert crash.stored_bytes == 4


def test_attachments_of_one_name_are_all_kept_in_their_order(reporter):
    parts = [("attachment_a.txt", b"1"), ("upload_file", b"{}"), (head("attachment_a.txt", "b"), b"2"), ("k", b"v")]
    crash = the_crash(reporter.form("json", parts))
    assert attachments(crash) == [("a.txt", "", b"1"), ("a.txt", "b", b"2")]
    assert crash.attributes == {"k": "v"}


def test_an_empty_attachment_is_one_too(reporter):
    crash = the_crash(reporter.form("json", [("upload_file", b"{}"), (head("attachment_a", "a"), b"")]))
    assert attachments(crash) == [("a", "a", b"")]


def test_what_comes_later_wins_and_the_address_over_all(reporter):
    report = {"attributes": {"json": 1, "form": "json", "query": "json", "twice": None}}
    parts = [("form", b"first"), ("upload_file", json.dumps(report).encode()), ("form", b"form"), ("query", b"form")]
    crash = the_crash(reporter.form("json", parts, query="query=first&query=query&twice=1&twice=2"))
    assert crash.attributes == {"json": 1, "form": "form", "query": "query", "twice": "2"}


def test_what_the_protocol_reserves_is_no_attribute(reporter):
    query = "universe=acme&project=x&tag=t&symbolication_id=s&attachment_inline=1&upload_file=x&version=1.0"
    crash = the_crash(reporter.form("json", [("upload_file", b"{}"), ("tag", b"x"), ("token", b"y")], query=query))
    assert crash.attributes == {"version": "1.0"}


def test_an_ampersand_in_the_path_begins_the_query(reporter):
    crash = the_crash(reporter.send("minidump&version=1.0", DUMP))
    assert (crash.format, crash.attributes) == ("minidump", {"version": "1.0"})


def test_secrets_are_masked_in_attributes(reporter):
    crash = the_crash(reporter.send("json", {"attributes": {"api_key": "hunter2"}}, query="password=hunter2&a=b"))
    assert crash.attributes == {"api_key": "[redacted]", "password": "[redacted]", "a": "b"}


def test_a_projects_own_secret_names_count(reporter, acme_project):
    from crashes.models import CrashRules

    CrashRules.objects.create(project=acme_project, secret_names=["licence"])
    assert the_crash(reporter.send("json", {"attributes": {"licence": "x"}})).attributes == {"licence": "[redacted]"}


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw deflate", "members"])
@pytest.mark.parametrize("form", [True, False])
def test_a_packed_body(reporter, coding, form):
    body = encoded([(head("log", "log"), b"x"), ("upload_file_minidump", DUMP)]) if form else DUMP
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(body),
        "deflate": zlib.compress(body),
        "raw deflate": raw.compress(body) + raw.flush(),
        "members": gzip.compress(body[:100]) + gzip.compress(body[100:]),
    }[coding]
    header = {"content-encoding": "deflate" if "deflate" in coding else "gzip"}
    crash = the_crash(reporter.send("minidump", packed, FORM if form else "", **header))
    assert content(crash) == DUMP


def test_the_odd_closing_boundary_of_apples_clients(reporter):
    body = encoded([("a", b"1"), ("upload_file", PLCRASH)]).removesuffix(b"--\r\n") + b"\r\n--"
    crash = the_crash(reporter.send("plcrash", body, FORM))
    assert (content(crash), crash.attributes) == (PLCRASH, {"a": "1"})


@pytest.mark.parametrize(
    ("format_", "body", "content_type", "message"),
    [
        ("json", b"", "", "empty"),
        ("minidump", b"", "", "empty"),
        ("btt", b"", "", "empty"),
        ("json", b"{", "", "not valid JSON"),
        ("json", b"[1]", "", "no JSON object"),
        ("json", DUMP, "", "not valid JSON"),
        ("minidump", JSON, "", "no minidump"),
        ("minidump", b"MDM", "", "no minidump"),
        ("minidump", LEDGER.read_bytes(), "", "no minidump"),
        ("plcrash", b"plcrash\x02x", "", "PLCrashReporter"),
        ("plcrash", b"plcrash", "", "PLCrashReporter"),
        ("json", encoded([]), FORM, "no part upload_file"),
        ("json", encoded([("a", b"b")]), FORM, "no part upload_file"),
        ("minidump", encoded([(head("a", "a.dmp"), DUMP)]), FORM, "no part upload_file_minidump or upload_file"),
        ("minidump", encoded([(head("", "a.dmp"), DUMP)]), FORM, "no part upload_file_minidump or upload_file"),
        ("minidump", encoded([("upload_file", b"")]), FORM, "empty"),
        ("minidump", b"no form", FORM, "multipart"),
        ("minidump", encoded([("upload_file", DUMP)])[:-20], FORM, "multipart"),
        ("minidump", DUMP, "multipart/form-data", "boundary"),
    ],
    ids=[
        *("no json", "no dump", "no snapshot", "broken json", "list", "dump as json", "json as dump", "short", "ELF"),
        *(
            "other version",
            "head alone",
            "no parts",
            "only a field",
            "another file",
            "no name",
            "empty part",
            "no form",
        ),
        *("cut off", "no boundary"),
    ],
)
def test_bodies_that_are_no_reports(reporter, format_, body, content_type, message):
    found = refusal(reporter.send(format_, body, content_type))
    assert (found[0], message in found[1]) == (400, True), found
    assert not Crash.objects.exists()
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("path", ["/post?token={}&format=json", "/api/post?json&token={}",
                                  "/submit.backtrace.io/acme/{}/json", "/acme/{}/minidump?format=json",
                                  "/submit.backtrace.io/post?format=json&token={}"])  # fmt: skip
def test_every_form_of_address_takes_reports(reporter, path, client):
    answer = client.generic("POST", path.format(reporter.token), JSON, "")
    assert the_crash(answer).format == "json"


def test_facts_of_the_report_are_in_its_row(reporter):
    report = json.loads(JSON) | {"classifiers": ["Boom", "a\x00b"], "fingerprint": "AB" * 32}
    crash = the_crash(reporter.send("json", report))
    assert crash.uuid == UUID("0f9d2a4e-5b3c-4c1d-9e8f-7a6b5c4d3e2f")
    assert crash.occurred_at.timestamp() == 1795240000
    assert (crash.attributes, crash.classifiers) == ({"a": "json", "n": 1}, ["Boom", "a\ufffdb"])
    assert crash.client_fingerprint == "ab" * 32


def test_the_same_report_again_is_the_same_crash(reporter):
    first = the_crash(reporter.send("json", JSON))
    assert the_crash(reporter.form("json", [("upload_file", JSON), ("attachment_a", b"x")])) == first
    status, message = refusal(reporter.send("json", JSON.replace(b'"n": 1', b'"n": 2')))
    assert (status, "another report" in message) == (400, True)
    without_hyphens = JSON.replace(b"0f9d2a4e-5b3c-4c1d-9e8f-7a6b5c4d3e2f", b"0F9D2A4E5B3C4C1D9E8F7A6B5C4D3E2F")
    assert refusal(reporter.send("json", without_hyphens))[0] == 400
    assert Crash.objects.count() == 1


def test_another_project_may_have_a_report_of_the_same_uuid(reporter, umbrella_project, client):
    first = the_crash(reporter.send("json", JSON))
    token = make_token(umbrella_project.organization, umbrella_project, ["error:post"])
    second = the_crash(client.generic("POST", f"/umbrella/{token}/json", JSON, ""))
    assert (second != first, second.project) == (True, umbrella_project)


def test_equal_dumps_are_two_crashes_with_contents_of_their_own(reporter):
    one, two = (the_crash(reporter.send("minidump", DUMP)) for _ in range(2))
    assert one.blob_key != two.blob_key
    assert one.sha256 == two.sha256


def test_a_report_that_comes_twice_at_once_is_one_crash(reporter, acme_project, monkeypatch):
    from crashes import accepting

    first = the_crash(reporter.send("json", JSON))
    looked = []

    def not_yet(project, report):
        looked.append(report.uuid)
        return None if len(looked) == 1 else earlier(project, report)

    earlier = accepting._earlier
    monkeypatch.setattr(accepting, "_earlier", not_yet)
    assert the_crash(reporter.send("json", JSON)) == first
    assert len(looked) == 2
    looked.clear()
    assert refusal(reporter.send("json", JSON.replace(b'"n": 1', b'"n": 2')))[0] == 400
    assert Crash.objects.count() == 1


def test_what_the_statement_leaves_out_has_the_models_defaults(reporter, acme_project):
    made = the_crash(reporter.send("json", b"{}"))
    plain = Crash(project=acme_project)
    given = {"id", "project_id", "rxid", "format", "door", "blob_key", "size", "sha256", "stored_bytes"}
    clocks = {"received_at", "waiting_since", "due_at"}
    for field in Crash._meta.concrete_fields:
        if field.attname not in given | clocks:
            assert getattr(made, field.attname) == getattr(plain, field.attname), field.attname
    assert made.received_at == made.waiting_since == made.due_at
