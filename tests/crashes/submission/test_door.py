"""The way past Django: the same answers, headers, counts and log lines as through it."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from django.urls import resolve
from django.utils import timezone

from core.metrics import declared
from core.wire.handler import WireHandler
from crashes.models import Crash
from crashes.sentry.keys import create_key
from projects.access import SYSTEM
from projects.models import ApiToken
from symbolsvc.door import Door, match_of
from tests.core.multipart import encoded
from tests.crashes.submission.conftest import DUMP, FORM, head
from tests.wire import ID, answer, connection_stays_open, environ  # noqa: F401 - pytest finds fixtures by name

TOKEN = "0123456789abcdef" * 4
BODY = encoded([(head("prod"), b"App"), (head("upload_file_minidump", "a.dmp"), DUMP)])
pytestmark = pytest.mark.usefixtures("connection_stays_open")

ADDRESSES = (
    *(f"{slashes}acme/{TOKEN}/{last}" for slashes in ("/", "//") for last in ("minidump", "json/", "json&tag=1")),
    f"/acme/{TOKEN}",
    f"/acme/{TOKEN}/",
    f"/submit.backtrace.io/acme/{TOKEN}/json",
    f"/submit.backtrace.io/a.b/{TOKEN}/json",
    *(f"{base}post{end}" for base in ("/", "//", "/api/", "/submit.backtrace.io/") for end in ("", "/")),
    *(f"/api/17/{kind}{end}" for kind in ("envelope", "minidump", "store") for end in ("", "/")),
)
OTHERS = (
    "/",
    "/api/0/projects/a/b/",
    f"/symbols/{TOKEN}/json",
    "/api/0/minidump/",
    "/symbolicate",
    f"/acme/{TOKEN}/a/b",
    f"/a.example/{TOKEN}/json",
    "/v1/uploads:create",
)


@pytest.mark.parametrize("path", ADDRESSES)
def test_it_leads_where_the_framework_leads(path):
    found, match = match_of(environ(path)), resolve(path)
    assert (found.func, found.kwargs) == (match.func, match.kwargs)


@pytest.mark.parametrize("path", OTHERS)
def test_other_addresses_are_none_of_its(path):
    assert match_of(environ(path)) is None


UNUSUAL = {
    "method": {"REQUEST_METHOD": "OPTIONS"},
    "charset": {"CONTENT_TYPE": "application/json; charset=latin-1"},
    "pieces": {"CONTENT_TYPE": "multipart/form-data; boundary*0=a"},
    "prefix": {"SCRIPT_NAME": "/below"},
    "letters": {"PATH_INFO": f"/acme/{TOKEN}/\xc3\xa4"},
}


@pytest.mark.parametrize("more", UNUSUAL.values(), ids=list(UNUSUAL))
def test_whatever_is_unusual_goes_through_the_framework(more):
    assert match_of(environ(f"/acme/{TOKEN}/json", **more)) is None


@pytest.mark.parametrize(
    "type_", ["", "application/json", "application/json; charset=utf-8", "text/plain;charset=UTF-8", FORM]
)
def test_what_clients_write_does_not(type_):
    assert match_of(environ(f"/acme/{TOKEN}/json", content_type=type_)) is not None


GZIP = {"HTTP_CONTENT_ENCODING": "gzip"}
REQUESTS: dict[str, tuple[str, bytes, str, dict[str, str]]] = {
    "form": ("/acme/{token}/minidump", BODY, FORM, {}),
    "packed": ("/acme/{token}/minidump", gzip.compress(BODY), FORM, GZIP),
    "json": ("/post?token={token}&format=json", b'{"attributes": {"a": 1}}', "application/json", {}),
    "behind TLS": ("/acme/{token}/minidump", BODY, FORM, {"HTTP_X_FORWARDED_PROTO": "https"}),
    "log": ("/acme/{token}/minidump?_mod_log=1", BODY, FORM, {}),
    "bad JSON": ("/acme/{token}/json", b"{", "application/json", {}),
    "no report": ("/acme/{token}/minidump", encoded([(head("a"), b"b")]), FORM, {}),
    "no end": ("/acme/{token}/minidump", BODY[:-60], FORM, {}),
    "early end": ("/acme/{token}/minidump", BODY, FORM, {"CONTENT_LENGTH": "99999"}),
    "no boundary": ("/acme/{token}/minidump", BODY, "multipart/form-data", {}),
    "other coding": ("/acme/{token}/minidump", BODY, FORM, {"HTTP_CONTENT_ENCODING": "compress"}),
    "too large": ("/acme/{token}/minidump", BODY, FORM, {"CONTENT_LENGTH": str(1 << 50)}),
    "unknown token": (f"/acme/{TOKEN}/minidump", BODY, FORM, {}),
    "no format": ("/acme/{token}", BODY, FORM, {}),
    "other subdomain": ("/beta/{token}/minidump", BODY, FORM, {}),
    "reserved": ("/submit.backtrace.io/api/{token}/minidump", BODY, FORM, {}),
    "no crash": ("/acme/{token}/minidump?object=1", BODY, FORM, {}),
    "odd host": ("/acme/{token}/minidump", BODY, FORM, {"HTTP_HOST": "a b"}),
    "dump": ("/api/{project}/minidump/?sentry_key={key}", BODY, FORM, {}),
    "event": ("/api/{project}/store/?sentry_key={key}", b'{"message": "a"}', "application/json", {}),
    "envelope": ("/api/{project}/envelope/?sentry_key={key}", b'{}\n{"type":"event"}\n{"message":"a"}\n', "", {}),
    "no key": ("/api/{project}/envelope/", b"{}\n", "", {}),
    "other key": ("/api/{project}/minidump/?sentry_key=" + "0" * 32, BODY, FORM, {}),
    "no project": ("/api/99999999/minidump/?sentry_key={key}", BODY, FORM, {}),
}


@pytest.mark.parametrize("name", list(REQUESTS))
def test_answers_log_lines_and_counts_are_those_of_the_framework(reporter, acme_project, name, caplog):
    path, body, content_type, more = REQUESTS[name]
    key = create_key(project=acme_project, actor=SYSTEM).public
    address = path.format(token=reporter.token, project=acme_project.pk, key=key)
    told = []
    for application in (WireHandler(), Door(WireHandler())):
        before = counts()
        caplog.clear()
        found = answer(application, environ(address, body, content_type, **more))
        lines = [(line.levelname, line.name, line.getMessage()) for line in caplog.records]
        told.append((found, lines, {label: value - before.get(label, 0) for label, value in counts().items()}))
    changed = [{label: value for label, value in one[2].items() if value} for one in told]
    assert told[0][:2] == told[1][:2]
    assert changed[0] == changed[1]
    assert told[1][0][1]["X-Request-Id"] == ID
    assert changed[1].get((declared.SUBMISSIONS.name, "accepted"), 0) == told[1][0][0].startswith("200")


def counts() -> dict[tuple[str, ...], float]:
    """What was counted so far, by figure and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for figure in (declared.requests, declared.submissions, declared.request_seconds)
        for metric in figure.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") or sample.name.endswith("_count")
    }


def test_a_revoked_token_is_refused_by_the_next_request(reporter, acme_project):
    door = Door(WireHandler())
    address = f"/acme/{reporter.token}/minidump"
    assert answer(door, environ(address, BODY, FORM))[0] == "200 OK"
    ApiToken.objects.filter(project=acme_project).update(revoked_at=timezone.now())
    assert answer(door, environ(address, BODY, FORM))[0] == "403 Forbidden"
    assert Crash.objects.filter(project=acme_project).count() == 1


def test_a_fault_of_ours_is_answered_and_logged_as_ever(reporter, monkeypatch, caplog):
    def broken(**_: Any) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("crashes.submission.handlers.demand_turn", broken)
    given = (f"/acme/{reporter.token}/minidump", BODY, FORM)
    told = [answer(application, environ(*given)) for application in (WireHandler(), Door(WireHandler()))]
    assert told[0] == told[1]
    assert told[1][0] == "500 Internal Server Error"
    assert caplog.text.count("RuntimeError: a fault") == 2


def test_the_rest_of_a_body_is_read_and_the_connection_closed_where_it_cannot_be(reporter):
    class Started:
        closed = False

        def start(self, *_: Any) -> None:
            pass

        def force_close(self) -> None:
            self.closed = True

    closed = []
    for length in (len(BODY), len(BODY) + 1):
        started = Started()
        given = environ(f"/acme/{TOKEN}/minidump", BODY, FORM, CONTENT_LENGTH=str(length))
        Door(WireHandler())(given, started.start)
        closed.append(started.closed)
        assert given["wsgi.input"].read() == b""
    assert closed == [False, True]
