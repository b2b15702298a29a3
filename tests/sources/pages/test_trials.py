"""Testing a source from its pages, before and after it is stored, with and without scripts."""

from __future__ import annotations

import re
import time

import pytest

from sources.models import SymbolSource
from sources.pages.trials import END
from sources.testing import running
from tests.engine.webserver import reply
from tests.sources.pages.made import CANARY, FORMS, PROJECT, browser, make_source, text
from tests.symbolication import symbolserver

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback")]

LIVE = {"x-live": "1", "hx-request": "true"}
LEDGER = {"file-type": "elf", "file-code_id": symbolserver.LEDGER.replace("/", "")}


@pytest.fixture
def page(acme, acme_project, admin):
    return browser(admin)


def entered(url, **more):
    return {"name": "New", "url": url, "layout_type": "native", **more}


def words(shown):
    return " ".join(re.sub(r"<[^>]*>", " ", shown).split())


def parts(answer):
    """What a script is sent, part by part."""
    assert answer.streaming
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    shown = text(answer)
    assert shown.endswith(END)
    return [words(part) for part in shown.split(END)[:-1]]


class TestBeforeSaving:
    def test_without_scripts_the_form_comes_back_with_the_report(self, page, symbols):
        symbols.authorization = symbolserver.basic("reader", CANARY)
        form = entered(symbols.url, username="reader", password=CANARY, **LEDGER)
        shown = text(page.post(f"{PROJECT}new/http/test/", form))
        assert "It works." in words(shown)
        assert f"An elf file lies at {symbolserver.LEDGER}." in words(shown)
        assert f'value="{symbols.url}"' in shown
        assert "enter them again before you save" in words(shown)
        assert not SymbolSource.objects.exists()

    def test_what_fails_is_said_with_what_to_do(self, page, symbols):
        symbols.authorization = symbolserver.basic("reader", "another")
        form = entered(symbols.url, username="reader", password=CANARY)
        shown = words(text(page.post(f"{PROJECT}new/http/test/", form)))
        assert "It does not work. 401 Unauthorized." in shown
        assert "Enter the user name and password, or the keys, again." in shown

    def test_what_is_wrong_in_the_form_is_said_at_its_field(self, page):
        shown = text(page.post(f"{PROJECT}new/http/test/", entered("nonsense")))
        assert 'id="id_url_error"' in shown

    def test_what_is_wrong_with_the_module_is_said_at_its_field(self, page, symbols):
        shown = text(page.post(f"{PROJECT}new/http/test/", entered(symbols.url, **{"file-debug_id": "nonsense"})))
        assert 'id="id_file-debug_id_error"' in shown
        assert symbols.paths() == []

    def test_a_layout_that_does_not_fit_is_recognized(self, page, symbols):
        shown = words(text(page.post(f"{PROJECT}new/http/test/", entered(symbols.url, layout_type="ssqp", **LEDGER))))
        assert "It does not work." in shown
        assert "looks like the layout native" in shown

    @pytest.mark.parametrize("kind", ["s3", "gcs", "appStoreConnect"])
    def test_every_type_has_a_test(self, page, kind):
        form = FORMS[kind] | {"endpoint": "http://127.0.0.1:9"} if kind == "s3" else {"name": "incomplete"}
        answer = page.post(f"{PROJECT}new/{kind}/test/", form)
        assert answer.status_code == 200
        assert "It does not work." in words(text(answer)) or "First correct:" in words(text(answer))


class TestLive:
    def test_each_step_appears_when_it_is_done(self, page, server):
        def slowly(asked, connection):
            time.sleep(0.25)
            reply("404 Not Found")(asked, connection)

        server.default = slowly
        shown = parts(page.post(f"{PROJECT}new/http/test/", entered(server.url), headers=LIVE))
        assert "It works." in shown[-1]
        assert all("It works." not in part for part in shown[:-1])
        assert len(shown) >= 3
        assert "… Find the host" in shown[0] or "ok Find the host" in shown[0]

    def test_refusals_name_the_fields(self, page):
        shown = parts(page.post(f"{PROJECT}new/http/test/", entered("nonsense", layout_type=""), headers=LIVE))
        assert len(shown) == 1
        assert shown[0].startswith("First correct: URL: must be an absolute http or https URL")
        assert "Layout: this field is required" in shown[0]

    def test_one_more_than_can_run_at_once_is_told_to_wait(self, page, symbols, monkeypatch):
        full = running.threading.BoundedSemaphore(1)
        full.acquire()
        monkeypatch.setattr(running, "_places", full)
        for headers in (LIVE, {}):
            answer = page.post(f"{PROJECT}new/http/test/", entered(symbols.url), headers=headers)
            assert "oo many tests are running" in words(text(answer))


class TestStored:
    def test_with_the_stored_secret(self, page, acme, acme_project, symbols):
        symbols.authorization = symbolserver.basic("honkhonk", CANARY)
        source = make_source(acme, acme_project, url=symbols.url)
        assert "Test now" in text(page.get(f"{PROJECT}{source.pk}/test/"))
        assert "It works." in words(text(page.post(f"{PROJECT}{source.pk}/test/", LEDGER)))
        assert "It works." in parts(page.post(f"{PROJECT}{source.pk}/test/", LEDGER, headers=LIVE))[-1]
        assert symbolserver.LEDGER in {path.lstrip("/") for path in symbols.paths()}

    def test_an_organizations(self, page, acme, symbols):
        source = make_source(acme, url=symbols.url)
        shown = text(page.post(f"/organizations/acme/sources/{source.pk}/test/", {}))
        assert "It works." in words(shown)

    def test_a_change_with_the_kept_secret(self, page, acme, acme_project, symbols):
        symbols.authorization = symbolserver.basic("honkhonk", CANARY)
        source = make_source(acme, acme_project, url=symbols.url)
        form = entered(f"{symbols.url}sub/", username="honkhonk")
        assert "It works." in words(text(page.post(f"{PROJECT}{source.pk}/try/", form)))
        assert SymbolSource.objects.get().config["url"] == symbols.url

    def test_a_kept_secret_is_not_sent_elsewhere(self, page, acme, acme_project, symbols, server):
        source = make_source(acme, acme_project, url=symbols.url)
        for headers in (LIVE, {}):
            answer = page.post(f"{PROJECT}{source.pk}/try/", entered(server.url), headers=headers)
            assert "must be sent again" in words(text(answer))
        assert server.asked == []

    def test_a_source_that_lacks_what_it_signs_in_with(self, page, acme, acme_project):
        source = make_source(acme, acme_project, kind="appStoreConnect", appconnectKey=None)
        assert "appconnectKey is missing" in words(text(page.post(f"{PROJECT}{source.pk}/test/", {})))

    def test_a_secret_that_cannot_be_decrypted(self, page, acme, acme_project):
        source = make_source(acme, acme_project)
        SymbolSource.objects.update(secrets=b"broken")
        assert "cannot be decrypted: enter it again" in words(text(page.post(f"{PROJECT}{source.pk}/test/", {})))
