"""The page of imports: who may see it, what it says, and asking for one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from debugfiles.appstore.models import AppStoreBuild, AppStoreImport, BuildState, State
from debugfiles.appstore.services import due, take
from projects.access import SYSTEM
from sources.selectors import Place
from sources.services import switch_source
from tests.sources.pages.made import PROJECT, browser, make_source, text

pytestmark = pytest.mark.django_db

PAGE = f"{PROJECT}imports/"


@pytest.fixture
def source(acme, acme_project):
    return make_source(acme, acme_project, kind="appStoreConnect", name="Ledger")


def test_only_those_who_may_see_or_ask(source, acme_project, stranger, member, admin):
    run = f"{PAGE}{source.pk}/run/"
    assert Client().get(PAGE).status_code == Client().post(run).status_code == 302
    assert browser(stranger).get(PAGE).status_code == browser(stranger).post(run).status_code == 404
    assert "Import now" not in text(browser(member).get(PAGE))
    assert browser(member).post(run).status_code == 403
    assert browser(admin, csrf=True).post(run).status_code == 403
    assert "Import now" in text(browser(admin).get(PAGE))


def test_what_is_wrong_and_what_to_do(source, admin):
    row = AppStoreImport.objects.get(source=source)
    AppStoreImport.objects.update(state=State.REFUSED, problem="key_refused", error="401 <b>Unauthorized</b>")
    AppStoreBuild.objects.create(
        app_import=row, build_id="1", version="<script>1</script>", state=BuildState.FAILED, error="<i>broken</i>"
    )
    shown = text(browser(admin).get(PAGE))
    assert "refused" in shown
    assert "Check in App Store Connect" in shown
    assert "0 of 1 imported, 1 failed" in shown
    assert all(tag not in shown for tag in ("<b>Un", "<script>1", "<i>broken"))


def test_asking_for_an_import(source, admin):
    AppStoreImport.objects.update(next_run=timezone.now() + timedelta(hours=1))
    answer = browser(admin).post(f"{PAGE}{source.pk}/run/")
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert due() == [source.pk]


def test_a_source_of_another_type_or_place_cannot_be_imported(acme, acme_project, admin):
    others = [make_source(acme, acme_project), make_source(acme, kind="appStoreConnect")]
    for other in others:
        assert browser(admin).post(f"{PAGE}{other.pk}/run/").status_code == 404


def test_one_that_is_switched_off_is_not_imported(source, acme, acme_project, admin):
    switch_source(place=Place(acme, acme_project), source_id=source.source_id, enabled=False, actor=SYSTEM)
    assert due() == []
    assert take(source.pk) is None
    shown = text(browser(admin).get(PAGE))
    assert ">off<" in shown
    assert "Import now" not in shown


def test_a_project_without_any_says_what_to_do(acme_project, admin, member):
    assert "Add an app" in text(browser(admin).get(PAGE))
    assert "Ask an admin" in text(browser(member).get(PAGE))


def test_the_list_of_sources_leads_here(source, admin):
    assert PAGE in text(browser(admin).get(PROJECT))
