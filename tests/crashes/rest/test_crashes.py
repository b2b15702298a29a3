"""Crashes by REST: lists with filters and pages, one with all that is known, raw reports."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from core.blobs import blob_store
from crashes.models import Attachment, Crash, CrashLack, Group, LackedFile
from projects.models import AuditEntry
from tests.cast import Api, make_token
from tests.crashes.grouping.making import grouped, make_crash

pytestmark = pytest.mark.django_db

P = "/api/0/projects/acme/native-app/crashes/"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def api(acme):
    return Api(make_token(acme))


def listed(api: Api, query: str = "") -> list[str]:
    answer = api.get(f"{P}?{query}")
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()]


def ids(*crashes: Crash) -> list[str]:
    return [str(crash.pk) for crash in crashes]


def next_page(answer) -> str:
    found = re.search(r'<([^>]+)>; rel="next"; results="true"', answer["Link"])
    return found[1] if found else ""


class TestLists:
    def test_newest_first_and_only_those_of_the_project(self, api, acme_project, umbrella_project):
        old, new, middle = (grouped(acme_project, "post", at=NOW + hours * HOUR) for hours in (1, 3, 2))
        grouped(umbrella_project, "post")
        assert listed(api) == ids(new, middle, old)

    def test_a_crash_that_waits_is_listed_with_what_is_known(self, api, acme_project):
        crash = make_crash(acme_project, state="pending", received_at=NOW)
        (row,) = api.get(P).json()
        assert row["id"] == str(crash.pk)
        assert (row["state"], row["title"], row["groupId"]) == ("pending", "", None)
        assert row["dateReceived"] == "2026-11-01T12:00:00Z"

    def test_each_filter_and_all_of_them_together(self, api, acme_project):
        wanted = grouped(
            acme_project,
            "post",
            version="2.0",
            at=NOW,
            os_name="Linux",
            attributes={"tier": "gold", "n": 5, "ok": True},
        )
        other = grouped(acme_project, "main", version="1.0", at=NOW - HOUR, os_name="Windows", attributes={"n": 6})
        Crash.objects.filter(pk=other.pk).update(state="set_aside", platform="jvm")
        filters = [
            f"group={wanted.group_id}", "state=done", "version=2.0", "platform=native", "os=Linux", "query=POST",
            f"since={quote(NOW.isoformat())}", "attr.tier=gold", "attr.n=5", "attr.ok=true",
        ]  # fmt: skip
        for one in [*filters, "&".join(filters)]:
            assert listed(api, one) == ids(wanted), one
        for one in ("state=set_aside", "platform=jvm", f"until={quote(NOW.isoformat())}", "query=main", "attr.n=6"):
            assert listed(api, one) == ids(other), one
        for one in ("version=3", "query=nothing", "attr.none=1", "group=0", "attr.n=7", "attr.tier=Gold"):
            assert listed(api, one) == [], one

    def test_an_attribute_is_found_whatever_its_kind(self, api, acme_project):
        values = [5, "5", True, "true", None, 1.5, "a b"]
        crashes = [make_crash(acme_project, attributes={"x": value}, received_at=NOW) for value in values]
        assert sorted(listed(api, "attr.x=5")) == sorted(ids(crashes[0], crashes[1]))
        assert sorted(listed(api, "attr.x=true")) == sorted(ids(crashes[2], crashes[3]))
        assert listed(api, "attr.x=null") == ids(crashes[4])
        assert listed(api, "attr.x=1.5") == ids(crashes[5])
        assert listed(api, "attr.x=a%20b") == ids(crashes[6])

    def test_pages_have_each_crash_once_also_where_times_are_equal(self, api, acme_project):
        crashes = [make_crash(acme_project, received_at=NOW + (number // 3) * HOUR) for number in range(8)]
        seen, url, pages = [], f"{P}?per_page=3", 0
        while url:
            answer = api.get(url)
            seen += [row["id"] for row in answer.json()]
            url, pages = next_page(answer), pages + 1
        assert pages == 3
        assert seen == ids(*reversed(crashes))

    def test_pages_can_be_walked_back(self, api, acme_project):
        crashes = [make_crash(acme_project, received_at=NOW) for _ in range(5)]
        second = api.get(next_page(api.get(f"{P}?per_page=2")))
        back = re.search(r'<([^>]+)>; rel="previous"; results="true"', second["Link"])[1]
        assert [row["id"] for row in api.get(back).json()] == ids(crashes[4], crashes[3])

    def test_crashes_that_come_and_go_between_pages_repeat_and_hide_nothing(self, api, acme_project):
        crashes = [make_crash(acme_project, received_at=NOW) for _ in range(4)]
        first = api.get(f"{P}?per_page=2")
        crashes[2].delete()
        make_crash(acme_project, received_at=NOW + HOUR)
        assert [row["id"] for row in api.get(next_page(first)).json()] == ids(crashes[1], crashes[0])

    @pytest.mark.parametrize(
        "query",
        [
            "state=odd", "group=x", "group=-1", "since=yesterday", "since=2026-01-01T00:00:00", "until=2026-13-01",
            "cursor=1:0:0", "cursor=x", "cursor=9999999999999999999-1:0:0", "cursor=9000000000000000000-1:0:0",
            "per_page=0", "per_page=101", "version=" + "v" * 300, "&".join(f"attr.a{n}=1" for n in range(11)),
        ],
        ids=["state", "group", "negative-group", "since", "no-zone", "no-month", "cursor-of-another-list", "cursor",
             "cursor-too-large", "cursor-beyond-time", "empty-page", "large-page", "long", "many-attributes"],
    )  # fmt: skip
    def test_a_query_that_makes_no_sense_is_refused(self, api, acme_project, query):
        answer = api.get(f"{P}?{query}")
        assert answer.status_code == 400
        assert answer.json()["field"]

    @pytest.mark.parametrize(
        "query",
        ["version=%00", "query=%00%ed%a0%80", "attr.%00=%00", "attr.x=%ed%a0%80", "attr.x=1e999", "attr.x=-0",
         "attr.=1", "query=%25_%5c", "attr.x=" + "9" * 300, "since=0001-01-01T00:00:00%2b14:00",
         "until=9999-12-31T23:59:59-14:00", "cursor=0-0:0:1"],
        ids=["nul", "surrogate", "nul-attribute", "surrogate-attribute", "infinite", "minus-zero", "nameless",
             "wildcards", "long-number", "first-day", "last-day", "first-cursor"],
    )  # fmt: skip
    def test_odd_texts_find_nothing_and_break_nothing(self, api, acme_project, query):
        make_crash(acme_project, version="1.0", attributes={"x": "y"}, received_at=NOW)
        assert api.get(f"{P}?{query}").status_code == 200


class TestDetails:
    def test_all_that_is_known_and_why_it_is_in_its_group(self, api, acme_project):
        crash = grouped(acme_project, "raise", "void post<int>(int)", attributes={"tier": "gold"}, classifiers=["x"])
        shown = api.get(f"{P}{crash.pk}/").json()
        assert shown["attributes"] == {"tier": "gold"}
        assert shown["group"]["count"] == 1
        assert shown["groupedBy"] == {
            "fingerprint": crash.fingerprint,
            "current": True,
            "parts": [{"kind": "type", "value": "SIGSEGV"}, {"kind": "function", "value": "post"}],
        }
        assert (shown["hasResult"], shown["culprit"], shown["lacks"]) == (True, "void post<int>(int)", [])
        assert not any("lease" in name.lower() or "blob" in name.lower() for name in shown)

    def test_a_crash_is_found_by_its_rxid_in_any_case(self, api, acme_project):
        crash = grouped(acme_project, "post")
        for reference in (crash.rxid, crash.rxid.upper()):
            assert api.get(f"{P}{reference}/").json()["id"] == str(crash.pk)

    def test_a_crash_that_would_be_grouped_otherwise_today_says_so(self, api, acme_project):
        crash = grouped(acme_project, "post")
        Crash.objects.update(fingerprint="0" * 64)
        assert api.get(f"{P}{crash.pk}/").json()["groupedBy"]["current"] is False

    def test_what_was_set_aside_says_why(self, api, acme_project):
        crash = make_crash(acme_project, state="set_aside", attempts=5, problem="The worker was killed.")
        shown = api.get(f"{P}{crash.pk}/").json()
        assert (shown["state"], shown["attempts"], shown["problem"]) == ("set_aside", 5, "The worker was killed.")
        assert (shown["hasResult"], shown["groupedBy"], shown["group"]) == (False, None, None)

    def test_the_files_that_it_lacks(self, api, acme_project):
        crash = grouped(acme_project, "post")
        file = LackedFile.objects.create(project=acme_project, kind="debug_file", key="k", name="libledger.so")
        CrashLack.objects.create(crash=crash, file=file)
        (lack,) = api.get(f"{P}{crash.pk}/").json()["lacks"]
        assert (lack["kind"], lack["name"]) == ("debug_file", "libledger.so")

    def test_the_result_as_it_is_stored(self, api, acme_project):
        crash = grouped(acme_project, "post", "main")
        answer = api.get(f"{P}{crash.pk}/result/")
        assert answer["Content-Type"] == "application/json"
        assert [frame["function"] for frame in answer.json()["threads"][1]["frames"]] == ["post", "main"]

    def test_before_there_is_a_result_there_is_none(self, api, acme_project):
        assert api.get(f"{P}{make_crash(acme_project).pk}/result/").status_code == 404


@pytest.fixture
def stored(acme_project):
    crash = grouped(acme_project, "post", size=6)
    with blob_store().incoming(100) as incoming:
        incoming.write(b"MDMP\x00\xff")
        incoming.finish()
        blob_store().keep(incoming, crash.blob_key)
    return crash


class TestDownloads:
    def test_a_raw_report_comes_byte_for_byte_and_is_recorded(self, api, stored):
        answer = api.get(f"{P}{stored.rxid}/raw/")
        assert b"".join(answer.streaming_content) == b"MDMP\x00\xff"
        assert answer["Content-Disposition"] == f'attachment; filename="{stored.rxid}.dmp"'
        assert answer["Content-Type"] == "application/octet-stream"
        entry = AuditEntry.objects.get(action="crash.downloaded")
        assert (entry.target, entry.data) == (stored.rxid, {"crash": stored.pk})

    def test_ranges(self, api, stored):
        answer = api.get(f"{P}{stored.pk}/raw/", range="bytes=1-2")
        assert (answer.status_code, b"".join(answer.streaming_content)) == (206, b"DM")
        assert api.get(f"{P}{stored.pk}/raw/", range="bytes=9-").status_code == 416

    @pytest.mark.parametrize(
        ("filename", "safe"),
        [("app.log", "app.log"), ('a"b\r\nX: y.html', "a_b__X__y.html"), ("../../etc/passwd", ".._.._etc_passwd"),
         ("ключ.txt", "____.txt"), ("", "from-name")],
        ids=["plain", "header", "path", "unicode", "none"],
    )  # fmt: skip
    def test_an_attachment_is_a_file_to_save_whatever_it_is_called(self, api, stored, filename, safe):
        row = Attachment.objects.create(
            crash=stored, name="from-name", filename=filename, content_type="text/html", blob_key=stored.blob_key,
            size=6, sha256="a" * 64,
        )  # fmt: skip
        (shown,) = api.get(f"{P}{stored.pk}/attachments/").json()
        assert (shown["filename"], shown["contentType"], shown["size"]) == (filename, "text/html", 6)
        answer = api.get(f"{P}{stored.pk}/attachments/{row.pk}/")
        assert answer["Content-Disposition"] == f'attachment; filename="{safe}"'
        assert answer["Content-Type"] == "application/octet-stream"
        assert AuditEntry.objects.get(action="attachment.downloaded").data == {"crash": stored.pk, "attachment": row.pk}

    def test_a_report_whose_bytes_are_gone_is_not_found(self, api, acme_project):
        assert api.get(f"{P}{grouped(acme_project, 'post').pk}/raw/").status_code == 404


class TestChanges:
    def test_processing_again_queues_it_with_all_its_tries(self, api, acme_project):
        crash = make_crash(acme_project, state="set_aside", attempts=5)
        answer = api.post(f"{P}{crash.pk}/process/")
        assert (answer.status_code, answer.json()["state"]) == (202, "pending")
        crash.refresh_from_db()
        assert (crash.state, crash.attempts) == ("pending", 0)
        assert AuditEntry.objects.filter(action="crash.processed_again", target=crash.rxid).exists()

    def test_what_nobody_can_read_is_not_processed(self, api, acme_project):
        crash = make_crash(acme_project, state="kept", format="btt")
        answer = api.post(f"{P}{crash.pk}/process/")
        assert (answer.status_code, answer.json()["code"]) == (409, "kept")
        assert not AuditEntry.objects.filter(action="crash.processed_again").exists()

    def test_deleting_is_for_good_and_its_group_keeps_its_count(self, api, stored):
        assert api.delete(f"{P}{stored.pk}/").status_code == 204
        assert api.get(f"{P}{stored.pk}/").status_code == 404
        assert api.delete(f"{P}{stored.pk}/").status_code == 404
        assert Group.objects.get().count == 1
        assert AuditEntry.objects.filter(action="crash.deleted", target=stored.rxid).exists()
