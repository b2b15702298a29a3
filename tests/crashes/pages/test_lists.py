"""The lists of groups and crashes, the page of a group, runs and rules: who may see them, what they show and find."""

from __future__ import annotations

import re
from datetime import timedelta
from html import escape

import pytest
from django.test import Client
from django.utils import timezone

from crashes.models import Crash, CrashRules, Group, Rerun
from crashes.pages import lists
from crashes.results import Failure, Frame, Result, Thread
from projects.models import AuditEntry
from projects.scopes import MEMBER, OWNER
from tests.cast import make_member, make_project
from tests.crashes.grouping.making import grouped, make_crash, processed, stack
from tests.crashes.pages.made import HOSTILE
from tests.crashes.pages.many import make_many

pytestmark = pytest.mark.django_db

BASE = "/organizations/acme/native-app/crashes/"
PAGES = ("", "all/", "reruns/", "rules/", "groups/{group}/", "?q=fn:post", "all/?state=set_aside")
_GROUP = ("groups/{group}/state/", "groups/{group}/again/")
POSTS = (*_GROUP, "reruns/", "reruns/{run}/cancel/", "reruns/regroup/", "rules/")


def signed_in(user, *, csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(user)
    return client


@pytest.fixture
def crash(acme_project):
    return grouped(acme_project, "ledger::Book::post_entry", "main", version="1.2.3", attributes={"hostname": "web1"})


@pytest.fixture
def reader(acme):
    return signed_in(make_member(acme, MEMBER))


@pytest.fixture
def names(acme_project, crash):
    run = Rerun.objects.create(project=acme_project, chosen={"chosen": {}, "last": crash.pk}, total=1)
    return {"group": crash.group_id, "run": run.pk}


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", response.content.decode()))


def found_groups(client, query: str) -> list[int]:
    body = client.get(f"{BASE}?{query}").content.decode()
    return [int(pk) for pk in re.findall(r'class="title" href="[^"]*/groups/(\d+)/"', body)]


def found_crashes(client, query: str) -> list[int]:
    body = client.get(f"{BASE}all/?{query}").content.decode()
    return [int(pk) for pk in re.findall(r'class="title" href="[^"]*/crashes/(\d+)/"', body)]


class TestWhoMayOpenThem:
    @pytest.mark.parametrize("path", PAGES)
    def test_members_may_strangers_find_nothing_and_others_sign_in_first(self, acme, stranger, names, path):
        address = BASE + path.format(**names)
        assert signed_in(make_member(acme, MEMBER)).get(address).status_code == 200
        assert signed_in(stranger).get(address).status_code == 404
        answer = Client().get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login/?next=")

    @pytest.mark.parametrize("path", POSTS)
    def test_posts_need_a_member_and_the_token_against_forgery(self, acme, stranger, names, path):
        address = BASE + path.format(**names)
        assert signed_in(stranger).post(address).status_code == 404
        assert Client().post(address).status_code == 302
        assert signed_in(make_member(acme, OWNER), csrf=True).post(address).status_code == 403

    def test_rules_are_changed_by_those_only_who_may_change_the_project(self, acme, reader, names):
        assert reader.post(f"{BASE}rules/", {"keep_days": "3"}).status_code == 403
        assert "disabled" in reader.get(f"{BASE}rules/").content.decode()
        assert not CrashRules.objects.exists()

    @pytest.mark.parametrize("path", [*_GROUP, POSTS[3]])
    def test_what_belongs_to_another_project_is_not_there(self, acme, acme_project, names, path):
        make_project(acme, "other")
        client = signed_in(make_member(acme, OWNER))
        address = BASE.replace("native-app", "other") + path.format(**names)
        assert client.post(address, {"state": "resolved"}).status_code == 404
        assert client.get(BASE.replace("native-app", "other") + f"groups/{names['group']}/").status_code == 404

    @pytest.mark.parametrize("path", ["groups/0x7/", "groups/99999999999999999999/", "groups/999999/"])
    def test_groups_that_there_are_not(self, reader, acme_project, path):
        assert reader.get(BASE + path).status_code == 404

    @pytest.mark.parametrize("cursor", ["x", "1-2", "99999999999999999999-1:0:0"])
    def test_a_malformed_place_in_the_list_is_said_so(self, reader, crash, cursor):
        assert reader.get(f"{BASE}?cursor={cursor}").status_code == 400
        assert reader.get(f"{BASE}all/?cursor={cursor}").status_code == 400


class TestWhatClientsSend:
    def test_stays_text_wherever_it_is_shown(self, reader, acme_project):
        frame = Frame(function=HOSTILE, package=f"/lib/{HOSTILE}", in_app=True)
        result = Result("native", reason=HOSTILE, failures=[Failure(HOSTILE, HOSTILE)], threads=[Thread([frame])])
        attributes = {HOSTILE: HOSTILE}
        crash = make_crash(
            acme_project, problem=HOSTILE, os_name=HOSTILE[:60], arch=HOSTILE[:30], attributes=attributes
        )
        processed(crash, result, HOSTILE, HOSTILE[:32])
        make_crash(acme_project, problem=HOSTILE, state=Crash.State.SET_ASIDE)
        Group.objects.update(regressed_at=timezone.now(), regressed_version=HOSTILE)
        chosen = {"chosen": {"search": HOSTILE, "version": HOSTILE}}
        Rerun.objects.create(project=acme_project, reason=HOSTILE, chosen=chosen, total=1)
        words = {"q": HOSTILE + " foo:<b>"}
        for path in ("", "all/", "reruns/", f"groups/{crash.group_id}/"):
            body = reader.get(BASE + path, words).content.decode()
            assert not re.search("<script>alert|<img|<b>", body), path
            assert "{{ 7 }}" in body or escape("<script>alert(1)") in body, path


class TestGroups:
    def test_a_row_says_what_where_how_often_and_since_when(self, reader, acme_project, crash):
        grouped(acme_project, "ledger::Book::post_entry", "main", version="1.3.0", unnamed_count=2)
        text = text_of(reader.get(BASE))
        for said in (
            "SIGSEGV",
            "ledger::Book::post_entry",
            "1.2.3",
            "1.3.0",
            "native",
            "1 lacks names",
            "2 in the last 14 days",
        ):
            assert said in text, said

    def test_only_open_ones_are_listed_unless_one_asks(self, reader, crash):
        Group.objects.update(state=Group.State.RESOLVED)
        assert found_groups(reader, "") == []
        assert "look at all" in text_of(reader.get(BASE))
        for query in ("state=all", "state=resolved", "q=state:resolved"):
            assert found_groups(reader, query) == [crash.group_id], query

    @pytest.mark.parametrize(("sort", "first"), [("last", "late"), ("count", "often"), ("first", "young")])
    def test_they_are_sorted_as_one_likes(self, reader, acme_project, sort, first):
        now = timezone.now()
        groups = {
            name: grouped(acme_project, name, at=now - timedelta(days=3), occurred_at=None).group
            for name in ("late", "often", "young")
        }
        Group.objects.filter(pk=groups["late"].pk).update(last_seen=now)
        Group.objects.filter(pk=groups["often"].pk).update(count=9)
        Group.objects.filter(pk=groups["young"].pk).update(first_seen=now)
        assert found_groups(reader, f"sort={sort}")[0] == groups[first].pk

    @pytest.mark.parametrize(
        ("query", "is_found"),
        [
            ("fn:post_entry", True),
            ("fn:Book::post", True),
            ("fn:LEDGER::", True),
            ("fn:entry", False),
            ("fn:%25", False),
            ("fn:post_entry fn:main", True),
            ("version:1.2.3", True),
            ("version:1.2", False),
            ("attr.hostname:web1", True),
            ("attr.hostname:web2", False),
            ("fn:main version:9", False),
            ("is:unnamed", False),
            ("platform:native", True),
            ("ledger::Book", True),
            ('"no such text"', False),
            ("since:1h", True),
            ("until:2001-01-01", False),
            ("lacking:abc", False),
        ],
    )
    def test_words_find_groups_and_their_crashes(self, reader, crash, query, is_found):
        wanted = query.replace("%25", "%")
        body = reader.get(BASE, {"q": wanted}).content.decode()
        assert (f"/groups/{crash.group_id}/" in body) is is_found
        body = reader.get(f"{BASE}all/", {"q": wanted}).content.decode()
        assert (f'/crashes/{crash.pk}/"' in body) is is_found

    def test_a_module_is_found_by_its_beginning(self, reader, acme_project):
        crash = make_crash(acme_project)
        processed(crash, stack(Frame(function="f", package=r"C:\app\Ledger.dll", in_app=True)))
        assert found_groups(reader, "q=module:ledger") == [crash.group_id]
        assert found_groups(reader, "q=module:dger") == []

    def test_a_word_that_is_not_understood_is_explained_and_passed_over(self, reader, crash):
        answer = reader.get(BASE, {"q": "colour:red fn:post_entry state:lost since:yesterday is:"})
        text = text_of(answer)
        for said in ("colour:", "is no word of the search", "lost", "yesterday", "needs a value"):
            assert said in text, said
        assert f"/groups/{crash.group_id}/" in answer.content.decode()

    def test_a_page_costs_as_many_queries_however_many_groups_it_has(
        self, reader, acme_project, django_assert_max_num_queries
    ):
        for number in range(6):
            grouped(acme_project, f"f{number}")
        with django_assert_max_num_queries(12):
            assert len(found_groups(reader, "")) == 6

    def test_the_pages_follow_each_other_and_keep_the_search(self, reader, acme_project, monkeypatch):
        monkeypatch.setattr(lists, "PAGE_SIZE", 3)
        made = [grouped(acme_project, f"step::f{number}").group_id for number in range(5)]
        first = reader.get(BASE, {"q": "fn:step", "sort": "last"})
        (link,) = re.findall(r'rel="next" href="([^"]*)"', first.content.decode())
        assert "q=fn%3Astep" in link
        seen = found_groups(reader, "q=fn:step") + found_groups(reader, link.removeprefix("?").replace("&amp;", "&"))
        assert sorted(seen) == sorted(made)
        assert len(set(seen)) == 5

    def test_an_empty_project_is_told_how_to_send_a_crash(self, reader, acme_project):
        for path in ("", "all/"):
            text = text_of(reader.get(BASE + path))
            assert "http://testserver/acme/$TOKEN/minidump" in text, path

    def test_what_was_set_aside_is_counted_with_a_way_to_it_and_to_try_again(self, acme, acme_project, reader):
        crash = make_crash(acme_project, state=Crash.State.SET_ASIDE, problem="NotADump: cut", attempts=5)
        assert "1 crash could not be read" in text_of(reader.get(BASE))
        body = reader.get(f"{BASE}all/?state=set_aside").content.decode()
        assert "NotADump: cut" in body
        assert f"{BASE}{crash.pk}/again/" in body
        assert found_crashes(reader, "state=done") == []


class TestOneGroup:
    def test_it_shows_its_crashes_its_course_and_why_they_are_one(self, reader, acme_project, crash):
        second = grouped(acme_project, "ledger::Book::post_entry", "main", version="1.2.3")
        body = reader.get(f"{BASE}groups/{crash.group_id}/").content.decode()
        assert f"/crashes/{crash.pk}/" in body
        assert f"{second.pk}/compare/?with={crash.pk}" in body
        assert "2 in the last 30 days" in body
        assert "Why they are one group" in body

    @pytest.mark.parametrize("state", ["resolved", "ignored", "open"])
    def test_its_state_is_changed_by_a_form(self, reader, crash, state):
        Group.objects.update(state="ignored" if state == "open" else "open")
        answer = reader.post(f"{BASE}groups/{crash.group_id}/state/", {"state": state})
        assert answer.status_code == 303
        assert Group.objects.get().state == state
        assert AuditEntry.objects.filter(action="crash_group.changed").count() == 1

    def test_no_other_state_is_taken(self, reader, crash):
        assert reader.post(f"{BASE}groups/{crash.group_id}/state/", {"state": "gone"}).status_code == 400

    def test_a_group_that_came_back_says_so(self, reader, crash):
        Group.objects.update(regressed_at=timezone.now(), regressed_version="2.0")
        assert "came back" in text_of(reader.get(f"{BASE}groups/{crash.group_id}/"))

    def test_all_its_crashes_are_symbolicated_again(self, reader, crash):
        assert reader.post(f"{BASE}groups/{crash.group_id}/again/").status_code == 303
        assert Rerun.objects.get().chosen["chosen"] == {"group": crash.group_id}

    def test_one_without_crashes_is_shown_too(self, reader, crash):
        Crash.objects.all().delete()
        assert "have been deleted since" in text_of(reader.get(f"{BASE}groups/{crash.group_id}/"))


class TestRuns:
    def test_one_is_started_for_a_search(self, reader, acme_project, crash):
        grouped(acme_project, "other")
        assert reader.post(f"{BASE}reruns/", {"q": "fn:post_entry", "state": "done"}).status_code == 303
        run = Rerun.objects.get()
        assert (run.total, run.chosen["chosen"]["search"]) == (1, "fn:post_entry")
        assert "fn:post_entry" in text_of(reader.get(f"{BASE}reruns/"))

    def test_nothing_is_started_for_words_that_are_not_understood(self, reader, crash):
        reader.post(f"{BASE}reruns/", {"q": "colour:red"})
        assert "Nothing was started" in text_of(reader.get(f"{BASE}reruns/"))
        assert not Rerun.objects.exists()

    def test_one_that_goes_on_is_looked_at_again_and_can_be_cancelled(self, reader, names):
        body = reader.get(f"{BASE}reruns/").content.decode()
        assert "<progress" in body
        assert 'hx-trigger="every 2s"' in body
        assert reader.post(f"{BASE}reruns/{names['run']}/cancel/").status_code == 303
        assert Rerun.objects.get().state == Rerun.State.CANCELLED
        assert 'hx-trigger="every' not in reader.get(f"{BASE}reruns/").content.decode()

    def test_all_are_grouped_again(self, reader, crash):
        assert reader.post(f"{BASE}reruns/regroup/").status_code == 303
        assert Rerun.objects.get().kind == Rerun.Kind.REGROUP


class TestRules:
    def test_they_are_saved_and_shown(self, acme, acme_project):
        client = signed_in(make_member(acme, OWNER))
        sent = {
            "keep_days": "30",
            "most_bytes": "0",
            "secret_names": " license_key \n\nlicense_key\nserial",
            "in_app": "lib*.so",
        }
        assert client.post(f"{BASE}rules/", sent).status_code == 303
        row = CrashRules.objects.get()
        assert (row.keep_days, row.most_bytes, row.per_minute) == (30, 0, None)
        assert (row.secret_names, row.in_app) == (["license_key", "serial"], ["lib*.so"])
        body = client.get(f"{BASE}rules/").content.decode()
        assert "license_key\nserial" in body
        assert 'value="30"' in body

    @pytest.mark.parametrize(
        "sent",
        [
            {"keep_days": "-1"},
            {"per_minute": "x"},
            {"secret_names": "a" * 201},
            {"in_app": "\n".join(map(str, range(201)))},
        ],
    )
    def test_what_cannot_be_is_said_beside_its_field(self, acme, acme_project, sent):
        answer = signed_in(make_member(acme, OWNER)).post(f"{BASE}rules/", sent)
        body = answer.content.decode()
        assert answer.status_code == 400
        assert 'aria-invalid="true"' in body
        assert "field-problem" in body
        assert not CrashRules.objects.exists()


def test_many_varied_crashes_fill_every_list(reader, acme_project):
    make_many(acme_project, groups=6)
    for path in ("", "?state=all&sort=count", "all/", "all/?q=is:unnamed", f"groups/{Group.objects.first().pk}/"):
        answer = reader.get(BASE + path)
        assert b'class="title"' in answer.content, path
