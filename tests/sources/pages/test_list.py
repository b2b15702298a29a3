"""The list of sources: what it shows of each, order, switches, the built-in catalogue."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from projects.models import AuditEntry, Project
from sources.composition import compose
from sources.models import SourceDay, SymbolSource
from sources.selectors import Place
from tests.cast import Api, make_project, make_token
from tests.sources.helpers import HTTP, project_path
from tests.sources.pages.made import ORGANIZATION, PROJECT, browser, make_source, names, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(acme, acme_project, admin):
    return browser(admin)


@pytest.fixture
def three(acme, acme_project):
    return [make_source(acme, acme_project, id=name, name=name) for name in ("first", "second", "third")]


def words(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", text(answer)).split())


class TestOrder:
    def test_all_are_shown_in_the_order_of_lookups(self, page, acme, acme_project, three):
        make_source(acme, id="shared", name="The shared one")
        page.post(f"{PROJECT}builtin/", {"builtin": ["ubuntu", "microsoft"]})
        shown = words(page.get(PROJECT))
        expected = ["first", "second", "third", "The shared one", "Microsoft", "Ubuntu"]
        assert sorted(expected, key=shown.index) == expected

    @pytest.mark.parametrize(
        ("at", "to", "expected"),
        [
            (0, "down", ["second", "first", "third"]),
            (2, "up", ["first", "third", "second"]),
            (0, "up", ["first", "second", "third"]),
            (2, "down", ["first", "second", "third"]),
        ],
    )
    def test_buttons_move_a_source(self, page, acme, acme_project, three, at, to, expected):
        answer = page.post(f"{PROJECT}{three[at].pk}/move/", {"to": to})
        assert (answer.status_code, answer.headers["Location"]) == (303, PROJECT)
        assert names(Place(acme, acme_project)) == expected

    def test_a_script_sends_the_whole_order(self, page, acme, acme_project, three):
        answer = page.post(f"{PROJECT}order/", {"id": ["third", "first", "second"]}, headers={"hx-request": "true"})
        assert answer.status_code == 204
        assert names(Place(acme, acme_project)) == ["third", "first", "second"]
        composed = [item.id for item in compose(_opened(acme_project)).sources]
        assert composed == ["third", "first", "second"]
        entry = AuditEntry.objects.latest("id")
        assert (entry.action, entry.data) == ("source.ordered", {"order": ["third", "first", "second"]})

    @pytest.mark.parametrize(
        "order",
        [["first"], ["first", "second"], ["first", "second", "third", "third"], ["first", "second", "other"], []],
    )
    def test_an_order_of_other_sources_is_refused(self, page, acme, acme_project, three, order):
        assert page.post(f"{PROJECT}order/", {"id": order}).status_code == 409
        assert names(Place(acme, acme_project)) == ["first", "second", "third"]

    def test_an_organizations_sources_move_too(self, page, acme):
        sources = [make_source(acme, id=name) for name in ("one", "two")]
        page.post(f"{ORGANIZATION}{sources[1].pk}/move/", {"to": "up"})
        assert names(Place(acme)) == ["two", "one"]

    def test_a_word_that_is_no_direction_is_refused(self, page, three):
        assert page.post(f"{PROJECT}{three[0].pk}/move/", {"to": "left"}).status_code == 400


class TestSwitches:
    def test_one_that_is_switched_off_is_not_asked_and_keeps_its_secret(self, page, acme_project, three):
        page.post(f"{PROJECT}{three[1].pk}/switch/", {"enabled": "0"})
        composed = compose(_opened(acme_project))
        assert [item.id for item in composed.sources] == ["first", "third"]
        assert [(item.id, item.reason) for item in composed.skipped] == [("second", "it is switched off")]
        assert SymbolSource.objects.get(source_id="second").secrets is not None
        assert "Switch on" in words(page.get(PROJECT))

        page.post(f"{PROJECT}{three[1].pk}/switch/", {"enabled": "1"})
        assert [item.id for item in compose(_opened(acme_project)).sources] == ["first", "second", "third"]

    def test_clients_of_the_api_are_told_and_their_changes_leave_it_off(self, page, acme, three):
        page.post(f"{PROJECT}{three[0].pk}/switch/", {"enabled": "0"})
        api = Api(make_token(acme))
        answer = api.get(project_path() + "?id=first")
        assert "source first is switched off" in answer.headers["Warning"]
        assert "enabled" not in answer.json()[0]
        assert api.put(project_path() + "?id=first", HTTP | {"id": "first"}).status_code == 200
        assert not SymbolSource.objects.get(source_id="first").enabled


class TestState:
    def test_counts_times_and_the_reason_of_the_last_failure(self, page, acme, acme_project, three):
        now = timezone.now()
        for days, failed in ((0, None), (1, now - timedelta(days=1))):
            SourceDay.objects.create(
                project=acme_project,
                source_id="first",
                day=(now - timedelta(days=days)).date(),
                hits=3,
                misses=1200,
                failures=1 if failed else 0,
                succeeded_at=now - timedelta(days=days, minutes=3),
                failed_at=failed,
                failure="403 Forbidden." if failed else "",
            )
        shown = words(page.get(PROJECT))
        assert "6 found, 2,400 not there, 1 failed" in shown
        assert "worked 3 min ago" in shown
        assert "failed 1 d ago : 403 Forbidden." in shown
        assert text(page.get(PROJECT)).count('badge good">answers') == 1

    def test_one_whose_last_answer_was_a_failure_is_failing(self, page, acme_project, three):
        SourceDay.objects.create(
            project=acme_project,
            source_id="first",
            day=timezone.now().date(),
            failures=1,
            failed_at=timezone.now(),
            failure="<b>Bad</b>",
        )
        assert "failing" in words(page.get(PROJECT))
        assert "<b>Bad" not in text(page.get(PROJECT))

    def test_an_organizations_source_is_counted_over_its_projects(self, page, acme, acme_project):
        make_source(acme, id="shared")
        other = make_project(acme, "other")
        hiding = make_project(acme, "hiding")
        make_source(acme, hiding, id="shared")
        for project, hits in ((acme_project, 1), (other, 2), (hiding, 100)):
            now = timezone.now()
            SourceDay.objects.create(project=project, source_id="shared", day=now.date(), hits=hits, succeeded_at=now)
        assert "3 found" in words(page.get(ORGANIZATION))
        assert "1 found" in words(page.get(PROJECT))

    def test_why_a_source_is_not_asked(self, page, acme, acme_project):
        make_source(acme, acme_project, id="same")
        make_source(acme, id="same", name="Hidden")
        make_source(acme, acme_project, kind="appStoreConnect", appconnectKey=None)
        SymbolSource.objects.filter(project=acme_project, source_id="same").update(secrets=b"broken")
        shown = words(page.get(PROJECT))
        assert "has the same id and is asked instead" in shown
        assert "appconnectKey is missing" in shown
        assert shown.count("not asked ") >= 3

    def test_the_list_costs_few_queries(self, page, acme, acme_project, django_assert_max_num_queries):
        for number in range(20):
            make_source(acme, acme_project, id=f"own-{number}")
            make_source(acme, id=f"shared-{number}")
        with django_assert_max_num_queries(12):
            page.get(PROJECT)

    def test_an_empty_list_says_what_to_do(self, page, member):
        assert "Add one if your debug files lie on a symbol server" in words(page.get(PROJECT))
        assert "Ask an admin" in words(browser(member).get(PROJECT))


class TestBuiltin:
    def test_switches_choose_and_the_order_is_the_catalogues(self, page, acme_project):
        page.post(f"{PROJECT}builtin/", {"builtin": ["ubuntu", "microsoft"]})
        assert Project.objects.get().builtin_sources == ["microsoft", "ubuntu"]
        shown = text(page.get(f"{PROJECT}builtin/"))
        assert sorted(re.findall(r'value="(\w+)" id="use-\w+" [^>]*checked', shown)) == ["microsoft", "ubuntu"]
        page.post(f"{PROJECT}builtin/", {})
        assert Project.objects.get().builtin_sources == []

    def test_what_is_not_in_the_catalogue_is_refused(self, page, acme_project):
        assert page.post(f"{PROJECT}builtin/", {"builtin": ["microsoft", "evil"]}).status_code == 400
        assert Project.objects.get().builtin_sources == []

    @pytest.mark.parametrize(
        ("platform", "fits"), [("linux", "Ubuntu"), ("windows", "Microsoft"), ("javascript", None), ("native", None)]
    )
    def test_what_fits_the_platform_is_marked(self, page, acme_project, platform, fits):
        Project.objects.update(platform=platform)
        rows = text(page.get(f"{PROJECT}builtin/")).split("<tr>")
        marked = [row for row in rows if ">fits<" in row]
        assert any(f">{fits}<" in row for row in marked) if fits else not marked

    def test_an_organization_has_none(self, page, acme_project):
        assert page.get(f"{ORGANIZATION}builtin/").status_code == 404


def test_a_deleted_source_is_gone_after_asking(page, acme_project, three):
    address = f"{PROJECT}{three[0].pk}/delete/"
    assert "Delete first?" in words(page.get(address))
    assert SymbolSource.objects.count() == 3
    assert page.post(address).headers["Location"] == PROJECT
    assert SymbolSource.objects.count() == 2


def test_a_new_project_is_told_to_add_sources_until_it_has_some(page, acme, acme_project):
    from projects.pages.steps import _steps

    done = _steps["sources"].done
    assert not done(acme_project)
    make_source(acme)
    assert done(acme_project)


def _opened(project):
    class Opened:
        organization = project.organization

    Opened.project = Project.objects.get(pk=project.pk)
    Opened.organization = Opened.project.organization
    return Opened


class TestNamed:
    @pytest.mark.parametrize(("to", "part"), [("", ""), ("test", "test/")])
    def test_an_id_of_a_lookup_leads_to_the_source(self, page, three, to, part):
        answer = page.get(f"{PROJECT}named/", {"id": "second", "to": to})
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{PROJECT}{three[1].pk}/{part}")

    @pytest.mark.parametrize("name", ["", "nothing", "symbolsvc:builtin", "\x00"])
    def test_an_id_of_no_source_of_ones_own_leads_to_the_list(self, page, three, name):
        answer = page.get(f"{PROJECT}named/", {"id": name})
        assert (answer.status_code, answer.headers["Location"]) == (303, PROJECT)

    def test_sources_of_other_projects_are_not_found_by_it(self, page, acme, three):
        other = make_project(acme, "other")
        make_source(acme, other, id="theirs", name="Theirs")
        assert page.get(f"{PROJECT}named/", {"id": "theirs"}).headers["Location"] == PROJECT
