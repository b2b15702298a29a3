"""Files that come for a crash that is there already."""

from __future__ import annotations

import pytest

from crashes.models import Attachment, CrashRules
from crashes.submission import late
from tests.cast import make_project, make_token
from tests.crashes.submission.conftest import DUMP, Reporter, attachments, head, refusal, the_crash


@pytest.fixture
def crash(reporter):
    return the_crash(reporter.send("minidump", DUMP))


@pytest.mark.parametrize("by", ["rxid", "object_id"])
@pytest.mark.parametrize("format_", ["json", "minidump"])
def test_a_file_is_added_by_either_id(reporter, crash, by, format_):
    query = f"object={getattr(crash, by)}&attachment_name=dir/late%20notes.txt"
    answer = reporter.send(format_, b"\x00late", "text/plain; charset=utf-8", query).json()
    (row,) = crash.attachments.all()
    assert answer == {
        "response": "ok", "_rxid": crash.rxid, "object": format(crash.pk, "x"), "attachment_id": str(row.pk),
        "attachment_name": "late notes.txt",
    }  # fmt: skip
    assert (row.name, row.content_type, row.inline) == ("late notes.txt", "text/plain", False)
    crash.refresh_from_db()
    assert crash.stored_bytes == crash.size + 5
    assert attachments(crash) == [("late notes.txt", "", b"\x00late")]


@pytest.mark.parametrize(
    ("part", "query", "name"),
    [
        ("upload_file", "attachment_name=a.log", "a.log"),
        (head("attachment_a.log", "b.log"), "", "a.log"),
        (head("file", "b.log"), "", "file"),
        (head("file", "b.log"), "attachment_name=%E6%BC%A2%00.log", "漢\ufffd.log"),
    ],
)
def test_it_may_come_as_a_form(reporter, crash, part, query, name):
    answer = reporter.form("json", [("k", b"v"), (part, b"x")], f"object={crash.rxid}&{query}")
    assert answer.json()["attachment_name"] == name
    assert attachments(crash)[0][2] == b"x"


def test_without_a_name_it_has_one_all_the_same(reporter, crash):
    assert reporter.send("json", b"", "", f"object={crash.rxid}").json()["attachment_name"] == "attachment"


def test_it_may_be_inline(reporter, crash):
    reporter.send("json", b"x", "", f"object={crash.rxid}&attachment_inline=true")
    assert crash.attachments.get().inline


@pytest.mark.parametrize("object_", ["0", "ffffffffffffffff", "7" * 400, "nonsense", "%00", "%ED%A0%80", "-1", "1.5"])
def test_an_object_that_does_not_exist(reporter, crash, object_):
    assert refusal(reporter.send("json", b"x", "", f"object={object_}")) == (
        400, "object: the project has no such crash",
    )  # fmt: skip


def test_an_object_of_another_project_is_as_if_it_did_not_exist(reporter, crash, acme, umbrella_project):
    theirs = make_token(umbrella_project.organization, umbrella_project, ["error:post"])
    beside = Reporter(make_token(acme, make_project(acme, "web"), ["error:post"]))
    missing = refusal(reporter.send("json", b"x", "", "object=ff"))
    for object_ in (crash.rxid, crash.object_id):
        assert refusal(beside.send("json", b"x", "", f"object={object_}")) == missing
        assert refusal(Reporter(theirs).send("json", b"x", "", f"object={object_}"))[0] == 503
        query = f"object={object_}&token={theirs}&universe=umbrella"
        answer = reporter.send("json", b"x", "", query)
        assert answer.status_code in (200, 400)
    assert not Attachment.objects.exclude(crash=crash).exists()


@pytest.mark.parametrize("scopes", [["symbol:post"], ["sync:post", "object:get", "event:raw"]])
def test_it_needs_the_scope_of_reports(acme_project, crash, scopes):
    token = make_token(acme_project.organization, acme_project, scopes)
    assert refusal(Reporter(token).send("json", b"x", "", f"object={crash.rxid}"))[0] == 403
    assert not crash.attachments.exists()


def test_a_form_without_a_file(reporter, crash):
    assert refusal(reporter.form("json", [("a", b"b")], f"object={crash.rxid}")) == (400, "the form has no file")


def test_a_crash_has_only_so_many(reporter, crash, monkeypatch):
    monkeypatch.setattr(late, "MOST_ATTACHMENTS", 2)
    statuses = [reporter.send("json", b"x", "", f"object={crash.rxid}").status_code for _ in range(3)]
    assert statuses == [200, 200, 413]


def test_all_files_of_a_crash_together_have_a_limit(reporter, crash, acme_project):
    from crashes import rules

    CrashRules.objects.create(project=acme_project, report_bytes=len(DUMP))
    rules._lately.clear()
    assert reporter.send("json", b"x" * (len(DUMP) - 1), "", f"object={crash.rxid}").status_code == 200
    assert refusal(reporter.send("json", b"xx", "", f"object={crash.rxid}"))[0] == 413
    assert reporter.send("json", b"x", "", f"object={crash.rxid}").status_code == 200
