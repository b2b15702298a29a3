"""Limits: what is refused, that it is cheap, and that it says why."""

from __future__ import annotations

import gzip

import pytest
from django.db import OperationalError

from core.blobs import StoreFull, blob_store
from core.wire import body as wire
from crashes import accepting, rules
from crashes.limits import rates
from crashes.models import Crash, CrashRules
from tests.cast import make_project, make_token
from tests.core.multipart import encoded
from tests.crashes.submission.conftest import DUMP, FORM, Reporter, head, refusal, the_crash


@pytest.fixture(autouse=True)
def _fresh_meter(tmp_path, settings):
    settings.CACHE_DIR = tmp_path
    rates._opened.cache_clear()
    yield
    rates._opened.cache_clear()


@pytest.fixture
def limit(acme_project):
    def set_(**changes):
        CrashRules.objects.update_or_create(project=acme_project, defaults=changes)
        rules._lately.clear()

    return set_


def test_a_project_may_send_so_many_reports_a_minute(reporter, limit, acme):
    limit(per_minute=2)
    assert [reporter.send("minidump", DUMP).status_code for _ in range(3)] == [200, 200, 429]
    answer = reporter.send("minidump", DUMP)
    status, message = refusal(answer)
    assert (status, message) == (429, "more than 2 reports a minute for this project")
    assert 1 <= int(answer["Retry-After"]) <= 30
    other = Reporter(make_token(acme, make_project(acme, "web"), ["error:post"]))
    assert other.send("minidump", DUMP).status_code == 200


def test_a_token_has_a_limit_of_its_own(reporter, acme_project, settings):
    settings.ENVIRONMENT = settings.ENVIRONMENT | {"CRASHES_PER_MINUTE_BY_TOKEN": 2}
    assert [reporter.send("minidump", DUMP).status_code for _ in range(3)] == [200, 200, 429]
    assert "this token" in refusal(reporter.send("minidump", DUMP))[1]
    other = Reporter(make_token(acme_project.organization, acme_project, ["error:post"]))
    assert other.send("minidump", DUMP).status_code == 200


def test_what_a_token_sends_beyond_its_own_limit_takes_nothing_from_its_project(
    reporter, limit, settings, acme_project
):
    settings.ENVIRONMENT = settings.ENVIRONMENT | {"CRASHES_PER_MINUTE_BY_TOKEN": 2}
    limit(per_minute=3)
    for _ in range(10):
        reporter.send("minidump", DUMP)
    other = Reporter(make_token(acme_project.organization, acme_project, ["error:post"]))
    assert [other.send("minidump", DUMP).status_code for _ in range(2)] == [200, 429]


def test_zero_is_no_limit(reporter, limit, settings):
    settings.ENVIRONMENT = settings.ENVIRONMENT | {"CRASHES_PER_MINUTE": 1}
    limit(per_minute=0)
    assert {reporter.send("minidump", DUMP).status_code for _ in range(5)} == {200}


def test_a_refusal_reads_nothing_and_writes_nothing(reporter, limit, monkeypatch, django_assert_num_queries):
    limit(per_minute=1)
    assert reporter.send("minidump", DUMP).status_code == 200

    def untouched(*_):
        raise AssertionError("the body was read")

    monkeypatch.setattr(wire.WireRequest, "read", untouched, raising=False)
    # The token is looked up, which is all: its last use was noted with the first request.
    with django_assert_num_queries(1):
        assert reporter.send("minidump", DUMP).status_code == 429


@pytest.mark.parametrize("form", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_a_report_has_a_size(reporter, limit, form, packed):
    limit(report_bytes=2 * len(DUMP))
    larger = DUMP + b"\0" * len(DUMP) + b"x"
    body = encoded([(head("attachment_a"), b"x"), ("upload_file", larger)]) if form else larger
    coding = {"content-encoding": "gzip"} if packed else {}
    answer = reporter.send("minidump", gzip.compress(body) if packed else body, FORM if form else "", **coding)
    status, message = refusal(answer)
    assert (status, "larger than" in message) == (413, True)
    assert not Crash.objects.exists()
    assert reporter.send("minidump", DUMP).status_code == 200


def test_a_bomb_is_unpacked_to_the_limit_and_no_further(reporter, limit):
    limit(report_bytes=1 << 20)
    bomb = gzip.compress(b"MDMP" + b"\0" * (64 << 20))
    assert refusal(reporter.send("minidump", bomb, **{"content-encoding": "gzip"}))[0] == 413
    nested = gzip.compress(gzip.compress(DUMP))
    assert refusal(reporter.send("minidump", nested, **{"content-encoding": "gzip"}))[0] == 400
    form = gzip.compress(encoded([("upload_file", DUMP), ("a", b"\0" * (64 << 20))]))
    assert refusal(reporter.send("minidump", form, FORM, **{"content-encoding": "gzip"}))[0] == 413


@pytest.mark.parametrize("parts", [10_000, 2_001])
def test_a_form_has_only_so_many_parts(reporter, parts):
    body = encoded([("upload_file", b"{}"), *((f"f{n}", b"x") for n in range(parts))])
    assert refusal(reporter.send("json", body, FORM))[0] == 400


def test_a_form_has_only_so_many_files(reporter):
    parts = [("upload_file", b"{}"), *((head(f"attachment_{n}"), b"") for n in range(100))]
    assert refusal(reporter.form("json", parts)) == (400, "more than 100 files in one form")
    assert len(the_crash(reporter.form("json", parts[:-1])).attachments.all()) == 99


def test_many_and_long_fields(reporter):
    long = b"v" * (1 << 20)
    many = [("upload_file", b"{}"), *((f"f{n}", b"x" * 100) for n in range(1_500)), ("long", long)]
    crash = the_crash(reporter.form("json", many))
    assert len(crash.attributes) == 1_000
    assert refusal(reporter.form("json", [("upload_file", b"{}"), ("longer", long + b"v")]))[0] == 413
    status, message = refusal(reporter.form("json", [("upload_file", b"{}"), *[("same", long)] * 8, ("last", b"")]))
    assert (status, "all fields together" in message) == (413, True)


def test_a_full_disk_is_a_503(reporter, monkeypatch):
    def full(*_):
        raise StoreFull

    monkeypatch.setattr(type(blob_store()), "keep", full)
    assert refusal(reporter.send("minidump", DUMP)) == (503, "There is no room left to store the file.")
    monkeypatch.undo()
    assert reporter.send("minidump", DUMP).status_code == 200


def test_a_database_that_fails_in_the_middle_is_a_503_and_keeps_what_may_be_referred_to(reporter, monkeypatch):
    deleted = []
    monkeypatch.setattr(type(blob_store()), "delete", lambda _self, key: deleted.append(key))

    def broken(*_):
        raise OperationalError("gone")

    monkeypatch.setattr(accepting, "insert_crash", broken)
    assert refusal(reporter.send("minidump", DUMP))[0] == 503
    # Whether it was committed nobody can tell any more: the sweep does later.
    assert deleted == []


def test_files_that_are_stored_before_one_fails_go_again(reporter, monkeypatch):
    store, kept, deleted = blob_store(), [], []
    keep = type(store).keep

    def fail_at_second(self, incoming, key):
        if kept:
            raise StoreFull
        kept.append(key)
        keep(self, incoming, key)

    monkeypatch.setattr(type(store), "keep", fail_at_second)
    monkeypatch.setattr(type(store), "delete", lambda _self, key: deleted.append(key))
    assert refusal(reporter.form("json", [("upload_file", b"{}"), ("attachment_a", b"x")]))[0] == 503
    assert kept == deleted
