"""What real clients sent, sent again byte for byte to the running service; and what is stored of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg
import pytest
from psycopg.rows import dict_row

from core.blobs.local import LocalStore
from tests.crashes.replay import SUBDOMAIN, Recorded
from tests.engine.shared_fixtures import shared
from tests.service import Service

SEGV = "upload_file_minidump"


@dataclass(frozen=True)
class Stored:
    """The rows of a crash on the running service, and its files."""

    row: dict[str, Any]
    main: bytes
    attachments: list[tuple[str, str, bytes]]


@pytest.fixture
def store(saucebot: Service) -> Iterator[Service]:
    """The service of the captures without any crash of theirs: some have the same uuid."""
    with psycopg.connect(saucebot.env["DATABASE_URL"]) as connection:
        connection.execute(
            """UPDATE crashes_crash SET uuid = NULL WHERE project_id IN (SELECT p.id FROM projects_project p
            JOIN projects_organization o ON o.id = p.organization_id WHERE o.slug = %s)""",
            [SUBDOMAIN],
        )
    return saucebot


def stored(service: Service, rxid: str) -> Stored:
    blobs = LocalStore(service.data_dir / "blobs")
    with psycopg.connect(service.env["DATABASE_URL"], row_factory=dict_row) as connection:
        row = connection.execute("SELECT * FROM crashes_crash WHERE rxid = %s", [rxid]).fetchone()
        assert row is not None
        files = connection.execute(
            "SELECT * FROM crashes_attachment WHERE crash_id = %s ORDER BY id", [row["id"]]
        ).fetchall()
    read = lambda one: b"".join(blobs.pieces(one["blob_key"]))  # noqa: E731
    return Stored(row, read(row), [(one["name"], one["filename"], read(one)) for one in files])


def query_of(recorded: Recorded) -> dict[str, str]:
    target = recorded.line.decode().split()[1]
    path, _, query = target.partition("?")
    glued = urlsplit(path).path.rpartition("/")[2].partition("&")[2]
    reserved = {"token", "format", "universe", "project", "_mod_sync"}
    return {name: value for name, value in parse_qsl(f"{glued}&{query}") if name not in reserved}


CRUMBS = ("bt-breadcrumbs-0", "bt-breadcrumbs-0")
LOG = ("session.log", "session.log")


@pytest.mark.parametrize(
    ("name", "format_", "main", "files"),
    [
        ("python-post-token", "json", "upload_file", []),
        ("python-hosted-attach", "json", "upload_file", [("app.log", "app.log")]),
        ("python-message", "json", "upload_file", []),
        ("python-uncaught", "json", "upload_file", []),
        ("node-hosted-attach", "json", "upload_file", [("notes.txt", "notes.txt"), CRUMBS]),
        ("node-cause-breadcrumbs", "json", "upload_file", [CRUMBS]),
        ("browser-post-token-breadcrumbs", "json", "upload_file", [("bt-breadcrumbs-0", "")]),
        ("browser-hosted-attach", "json", "upload_file", [("notes.txt", ""), ("bt-breadcrumbs-0", "")]),
        ("curl-json-multipart", "json", "upload_file", []),
        ("curl-json-attachment", "json", "upload_file", [("test.json", "test.json")]),
        ("curl-json-attachment-dot", "json", "upload_file", [("attachment.log", "test.log")]),
        ("breakpad-minidump_upload", "minidump", SEGV, []),
        ("crashpad-gzip", "minidump", SEGV, [LOG]),
        ("crashpad-nogzip", "minidump", SEGV, [LOG]),
        ("curl-minidump-multipart", "minidump", SEGV, []),
        ("curl-minidump-query-attrs", "minidump", SEGV, []),
        ("curl-minidump-docs-ampersand", "minidump", SEGV, []),
    ],
)
def test_recorded_forms(store: Service, name, format_, main, files):
    recorded = Recorded.read(name)
    reply = recorded.sent_to(store)
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (200, "*"), reply.body
    found = stored(store, reply.json()["_rxid"])

    parts = recorded.parts()
    (report,) = [content for part, _, content in parts if part == main]
    assert (found.row["format"], found.row["door"]) == (format_, "backtrace")
    assert found.main == report
    beside = [content for part, filename, content in parts if part != main and (filename or "attachment" in part)]
    assert found.attachments == [(*told, content) for told, content in zip(files, beside, strict=True)]
    fields = {part: content.decode() for part, filename, content in parts
              if filename is None and part != main and "attachment" not in part}  # fmt: skip
    said = json.loads(report)["attributes"] if format_ == "json" else {}
    assert found.row["attributes"] == said | fields | query_of(recorded)


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("node-post-token", "json"),
        ("browser-json-after-preflight", "json"),
        ("curl-json-raw", "json"),
        ("curl-json-raw-formtype", "json"),
        ("curl-json-gzip", "json"),
        ("curl-minidump-raw", "minidump"),
        ("curl-minidump-raw-expect", "minidump"),
    ],
)
def test_recorded_bodies_that_are_the_report(store: Service, name, format_):
    recorded = Recorded.read(name)
    reply = recorded.sent_to(store)
    assert reply.status == 200, reply.body
    found = stored(store, reply.json()["_rxid"])
    report = gzip.decompress(recorded.body) if name.endswith("gzip") else recorded.body
    assert (found.row["format"], found.main, found.attachments) == (format_, report, [])
    told = json.loads(report) if format_ == "json" else {}
    assert found.row["attributes"] == told.get("attributes", {})
    assert found.row["classifiers"] == told.get("classifiers", [])
    assert str(found.row["uuid"]) == told.get("uuid", "None")
    expected = told.get("timestamp")
    assert (found.row["occurred_at"] and int(found.row["occurred_at"].timestamp())) == expected


def test_a_report_and_the_file_that_its_client_sent_afterwards(store: Service):
    first = Recorded.read("node-late-attachment-first-request").sent_to(store).json()
    late = Recorded.read("node-late-attachment-second-request")
    reply = late.replaced("56f9dd73-bd19-47d2-0000-000000000000", first["_rxid"]).sent_to(store)
    assert reply.status == 200, reply.body
    found = stored(store, first["_rxid"])
    assert reply.json()["object"] == format(found.row["id"], "x")
    assert found.attachments[-1] == ("late notes.txt", "", late.body)

    again = Recorded.read("curl-late-attachment").replaced("01000000-7e23-7a1e-0000-000000000000", first["_rxid"])
    assert again.sent_to(store).json()["attachment_name"] == "test.log"
    assert stored(store, first["_rxid"]).attachments[-1] == ("test.log", "", again.body)
    assert late.sent_to(store).status == 400


def test_a_recorded_preflight(store: Service):
    reply = Recorded.read("browser-preflight-json").sent_to(store)
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (204, "*")
    assert "content-type" in reply.headers["access-control-allow-headers"].lower()
    assert "POST" in reply.headers["access-control-allow-methods"]


@pytest.mark.parametrize("name", ["node-metrics-summed-events", "node-metrics-unique-events"])
def test_recorded_metrics_are_taken_and_dropped(store: Service, name):
    recorded = Recorded.read(name)
    assert recorded.sent_to(store).json() == {}
    assert recorded.replaced("/api/", "/submit.backtrace.io/api/").sent_to(store).json() == {}
    assert recorded.replaced("token=685f", "token=0000").sent_to(store).status == 403
    assert recorded.replaced("universe=saucebot", "universe=other").sent_to(store).status == 503


@pytest.mark.parametrize(("before", "after"), [("/post", "//post"), ("/post", "/submit.backtrace.io/post"),
                                               ("format=json", "json")])  # fmt: skip
def test_other_forms_of_address(store: Service, before, after):
    assert Recorded.read("node-post-token").replaced(before, after).sent_to(store).status == 200


def test_the_body_of_apples_library(store: Service):
    body = shared("fixtures/captures/payloads/cocoa_style_multipart_body.bin").read_bytes()
    line = Recorded.read("crashpad-nogzip").line.replace(b"/api/post", b"/post").replace(b"minidump", b"plcrash")
    headers = [("Host", "x"), ("Content-Type", "multipart/form-data; boundary=Boundary-1234"), ("Content-Length", "")]
    reply = Recorded(line, headers, body, None).sent_to(store)
    assert reply.status == 200, reply.body
    assert stored(store, reply.json()["_rxid"]).main.startswith(b"plcrash\x01")
    packed = Recorded(line, [*headers, ("Expect", "something else")], body, None).sent_to(store)
    assert packed.status == 200, packed.body
