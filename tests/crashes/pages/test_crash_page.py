"""The page of one crash."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import timezone

from crashes.models import Crash, Group
from crashes.results import Failure, Frame, Module, Result, Thread
from projects.scopes import MEMBER
from tests.cast import make_member, make_project
from tests.crashes.pages.made import HOSTILE, make_attachment, make_crash, native_result

pytestmark = pytest.mark.django_db

BASE = "/organizations/acme/native-app/crashes/"
PARTS = ("", "thread/?thread=0", "changed/", "text/", "compare/")


@pytest.fixture
def crash(acme_project):
    return make_crash(acme_project, native_result(), attributes={"version": "1.2.3", "host": None})


def signed_in(user) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


def read(client, crash, part=""):
    answer = client.get(f"{BASE}{crash.pk}/{part}")
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def words(html):
    """What a reader sees, without tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@pytest.mark.parametrize("part", PARTS)
def test_whoever_is_signed_out_is_led_to_the_sign_in_page(crash, part):
    answer = Client().get(f"{BASE}{crash.pk}/{part}")
    assert (answer.status_code, answer.headers["Location"][:13]) == (302, "/login/?next=")


@pytest.mark.parametrize("part", PARTS)
def test_a_stranger_learns_nothing(stranger, crash, part):
    answer = signed_in(stranger).get(f"{BASE}{crash.pk}/{part}")
    assert answer.status_code == 404
    assert b"SIGSEGV" not in answer.content


@pytest.mark.parametrize("part", PARTS)
def test_a_crash_of_another_project_is_not_there(acme, member, crash, part):
    make_project(acme, "other")
    answer = signed_in(member).get(f"/organizations/acme/other/crashes/{crash.pk}/{part}")
    assert answer.status_code == 404


@pytest.mark.parametrize("reference", ["0", "9" * 18, "9" * 40, "nothing", "%00"])
def test_what_is_no_crash_is_not_there(member, acme_project, reference):
    assert signed_in(member).get(f"{BASE}{reference}/").status_code == 404


def test_a_crash_is_found_by_the_id_that_its_client_was_given(member, crash):
    assert signed_in(member).get(f"{BASE}{crash.rxid}/").status_code == 200


def test_the_crashed_thread_is_open_and_first_and_the_others_are_one_line(member, crash):
    html = read(signed_in(member), crash)
    assert html.index('id="t1" open') < html.index('id="t0"')
    assert "Thread 7 · crasher" in html
    assert "poll" in words(html)
    assert html.count('<li class="frame') == 3


def test_frames_have_the_numbers_of_debuggers_and_say_where_they_are(member, crash):
    text = words(read(signed_in(member), crash))
    assert "0 libledger.so + 0x100 libledger.so" in text
    assert "↳ inner crashy.cpp:7" in text
    assert "1 worker crashy.cpp:12" in text
    assert "guessed from frame 2" in text


def test_the_source_is_shown_around_the_line(member, crash):
    html = read(signed_in(member), crash)
    assert '<span class="line here" aria-current="true"><span class="lineno">12</span>  crash();' in html


def test_a_frame_without_a_name_leads_to_why_and_what_mends_it(admin, crash):
    html = read(signed_in(admin), crash)
    assert 'href="#m1">Why?' in html
    why = words(html[html.index('id="m1"') :])
    assert "No source has libledger.so." in why
    assert "What to do: Upload libledger.so.debug." in why
    assert "Our server Edit Test li/libledger.so notfound 2026-11-21 10:00:00 2026-11-21 11:00:00" in why
    assert "Other Edit Test Left out: disabled." in why
    assert "sources/named/?to=test&amp;id=our-server" in html
    assert "files/upload/?for=7fbe8839-3844-ce5c-25e3-99210deb9a5f" in html
    assert 'form="again"' in html


def test_a_folded_thread_is_fetched_when_it_is_opened(member, crash):
    part = read(signed_in(member), crash, "thread/?thread=0")
    assert "<html" not in part
    assert "poll" in words(part)
    whole = read(signed_in(member), crash, "?thread=0")
    assert 'id="t0" open' in whole


@pytest.mark.parametrize("asked", ["thread=2", "thread=-1", "thread=x", "", "thread=99999999999999999999"])
def test_a_thread_that_there_is_not_is_not_found(member, crash, asked):
    assert signed_in(member).get(f"{BASE}{crash.pk}/thread/?{asked}").status_code == 404


def test_a_page_is_made_anew_only_when_something_changed(member, crash):
    client = signed_in(member)
    stamp = re.search(r'changed/\?since=([^"]*)"', read(client, crash))
    assert stamp
    same = client.get(f"{BASE}{crash.pk}/changed/?since={stamp[1]}")
    Crash.objects.filter(pk=crash.pk).update(processed_at=timezone.now())
    after = client.get(f"{BASE}{crash.pk}/changed/?since={stamp[1]}")
    assert (same.status_code, same.headers.get("HX-Refresh")) == (204, None)
    assert (after.status_code, after.headers["HX-Refresh"]) == (204, "true")


def test_a_crash_that_waits_says_so_and_looks_for_itself(member, acme_project):
    html = read(signed_in(member), make_crash(acme_project, state="pending", processed_at=None))
    assert "waiting to be symbolicated" in html
    assert 'hx-trigger="every 1s"' in html


def test_a_crash_that_was_set_aside_says_why(admin, acme_project):
    html = read(signed_in(admin), make_crash(acme_project, state="set_aside", attempts=5, problem="no dump"))
    assert "Processing failed 5 times: no dump" in words(html)
    assert "Symbolicate again" in html


def test_only_those_who_may_are_offered_the_raw_report(member, admin, crash):
    make_attachment(crash)
    mine, theirs = read(signed_in(member), crash), read(signed_in(admin), crash)
    assert "/raw/" not in mine
    assert "/attachments/" not in mine
    assert f"/crashes/{crash.pk}/raw/" in theirs
    assert "/attachments/" in theirs


def test_symbolicating_again_needs_a_token_against_forgery_and_the_role(acme, member, crash, acme_project):
    client = signed_in(member)
    path = f"{BASE}{crash.pk}/again/"
    assert client.post(path).status_code == 403
    html = read(client, crash)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', html)
    assert token
    answer = client.post(path, {"csrfmiddlewaretoken": token[1]})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{BASE}{crash.pk}/")
    crash.refresh_from_db()
    assert crash.state == Crash.State.PENDING
    assert "symbolicated again" in read(client, crash)


def test_a_get_symbolicates_nothing(member, crash):
    assert signed_in(member).get(f"{BASE}{crash.pk}/again/").status_code == 405


class Found(HTMLParser):
    """Elements that a client could have brought in."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []

    def handle_starttag(self, tag, attributes):
        names = {name for name, _ in attributes}
        ours = dict(attributes).get("src", "").startswith("/static/")
        if (tag == "script" and not ours) or tag == "img" or any(name.startswith("on") for name in names):
            self.bad.append(tag)


def hostile_result():
    frame = Frame(
        status=HOSTILE,
        function=HOSTILE,
        module=HOSTILE,
        filename=HOSTILE,
        abs_path=HOSTILE,
        package=HOSTILE,
        lang=HOSTILE,
        raw_function=HOSTILE + "2",
        context_line=HOSTILE,
        source_link="javascript:alert(3)",
        diagnosis={"cause": HOSTILE, HOSTILE: HOSTILE, "sources": [{"name": HOSTILE, "tries": [{"path": HOSTILE}]}]},
    )
    module = Module("elf", HOSTILE, HOSTILE, HOSTILE, HOSTILE, "0x1000", 10, diagnosis={"cause": HOSTILE})
    thread = Thread([frame, Frame(status=HOSTILE)], HOSTILE, HOSTILE, True, {HOSTILE: HOSTILE}, {"text": HOSTILE})
    return Result(
        reason=HOSTILE,
        failures=[Failure(HOSTILE, HOSTILE), Failure(HOSTILE, HOSTILE)],
        threads=[thread],
        modules=[module],
        annotations={HOSTILE: {HOSTILE: [HOSTILE]}},
        problems=[HOSTILE],
        crash_details=HOSTILE,
    )


@pytest.mark.parametrize("part", ["", "thread/?thread=0", "compare/?with="])
def test_nothing_that_a_client_sends_becomes_part_of_the_page(member, acme_project, part):
    facts = {"title": HOSTILE, "culprit": HOSTILE, "version": HOSTILE, "os_name": HOSTILE[:60], "problem": HOSTILE}
    crash = make_crash(acme_project, hostile_result(), attributes={HOSTILE: HOSTILE}, state="set_aside", **facts)
    make_attachment(crash, HOSTILE)
    html = read(
        signed_in(member), crash, f"{part}{make_crash(acme_project, native_result()).pk}" if "=" in part[-1:] else part
    )
    found = Found()
    found.feed(html)
    assert found.bad == []
    assert "&lt;script&gt;" in html
    assert "javascript:" not in html


def test_text_to_copy_has_the_stack_and_cannot_break_out_of_its_block(member, acme_project):
    crash = make_crash(acme_project, native_result(), title="SIGSEGV\r\nfirst")
    plain = signed_in(member).get(f"{BASE}{crash.pk}/text/")
    assert plain.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = plain.content.decode().splitlines()
    assert "Thread 7 · crasher (crashed)" in lines
    assert "  1 worker (crashy.cpp:12)  [crashy]  guessed" in lines
    breaking = make_crash(acme_project, Result(threads=[Thread([Frame(function="```\n# not a heading")])]))
    markdown = read(signed_in(member), breaking, "text/?as=markdown")
    assert markdown.count("```") == 2


def test_crashes_of_a_group_lie_side_by_side_with_what_differs(member, acme_project):
    now = timezone.now()
    group = Group.objects.create(project=acme_project, fingerprint="f" * 64, first_seen=now, last_seen=now)
    older = make_crash(
        acme_project, native_result(), group=group, attributes={"a": 1}, received_at=now - timedelta(hours=1)
    )
    threads = [Thread([Frame(function="worker", filename="crashy.cpp", lineno=13)], "7", "crasher", True)]
    newer = make_crash(acme_project, Result(threads=threads), group=group, attributes={"a": 2, "b": None})
    html = read(signed_in(member), newer)
    assert f"?with={older.pk}" in html
    text = words(read(signed_in(member), newer, "compare/"))
    assert "worker crashy.cpp:13 worker crashy.cpp:12 differs" in text
    assert "a 2 1" in text


def test_comparing_needs_another_crash(member, crash):
    answer = signed_in(member).get(f"{BASE}{crash.pk}/compare/")
    assert answer.status_code == 400
    assert b"name the crash to compare with" in answer.content


def test_a_member_is_enough(acme, crash):
    assert signed_in(make_member(acme, MEMBER)).get(f"{BASE}{crash.pk}/").status_code == 200
