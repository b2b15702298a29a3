"""From where source maps may be fetched: stored, shown without values, kept, and given to the engine."""

from __future__ import annotations

import io

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import call_command

from core.encryption import key_id_of
from debugfiles.models import Scraping
from debugfiles.scraping import rotate_headers, scraping_of
from engine.javascript.wire import ScrapingRules
from projects.models import AuditEntry
from tests.cast import Api, make_token
from tests.debugfiles.uploading import access_to

pytestmark = pytest.mark.django_db

PATH = "/api/0/projects/acme/native-app/scraping/"
HIDDEN = {"hidden-secret": True}
RULES = {
    "enabled": True,
    "allowed_origins": ["https://*.example.com", "cdn.example.com:8443"],
    "headers": {"X-Token": "canary-of-a-value"},
    "verify_ssl": False,
}


@pytest.fixture
def api(acme, acme_project):
    return Api(make_token(acme))


def test_without_rules_everything_may_be_fetched_without_headers(api, acme_project):
    assert api.get(PATH).json() == {"enabled": True, "allowed_origins": ["*"], "headers": {}, "verify_ssl": True}
    assert scraping_of(access_to(acme_project)) == ScrapingRules()
    assert not Scraping.objects.exists()


def test_rules_are_stored_shown_without_values_and_revealed_for_the_engine(api, acme_project):
    response = api.put(PATH, RULES)

    shown = {**RULES, "headers": {"X-Token": HIDDEN}}
    assert (response.status_code, response.json(), api.get(PATH).json()) == (200, shown, shown)
    assert scraping_of(access_to(acme_project)) == ScrapingRules(
        True, tuple(RULES["allowed_origins"]), (("X-Token", "canary-of-a-value"),), False
    )
    row = Scraping.objects.get()
    assert b"canary" not in bytes(row.headers)
    assert "canary" not in str(list(AuditEntry.objects.values()))
    assert "canary" not in repr(scraping_of(access_to(acme_project)))


def test_what_was_shown_can_be_sent_back_and_keeps_its_values(api, acme_project):
    shown = api.put(PATH, RULES).json()
    shown["headers"]["X-More"] = "another"
    shown["allowed_origins"] = shown["allowed_origins"][:1]

    assert api.put(PATH, shown).status_code == 200

    assert dict(scraping_of(access_to(acme_project)).headers) == {"X-Token": "canary-of-a-value", "X-More": "another"}


def test_headers_that_are_not_sent_are_gone(api, acme_project):
    api.put(PATH, RULES)
    assert api.put(PATH, {}).json()["headers"] == {}
    assert scraping_of(access_to(acme_project)) == ScrapingRules()


def test_a_kept_value_never_goes_to_other_places(api, acme_project):
    shown = api.put(PATH, RULES).json()
    shown["allowed_origins"] = ["evil.example.org"]

    response = api.put(PATH, shown)

    assert (response.status_code, response.json()["field"]) == (400, "headers.X-Token")
    assert scraping_of(access_to(acme_project)).allowed_origins == tuple(RULES["allowed_origins"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"allowed_origins": ["*"]}, "headers"),
        ({"allowed_origins": ["a.example", "https://*"]}, "headers"),
        ({"allowed_origins": ["*:443/x"]}, "headers"),
        ({"allowed_origins": [""]}, "allowed_origins"),
        ({"allowed_origins": ["a b"]}, "allowed_origins"),
        ({"allowed_origins": ["a"] * 101}, "allowed_origins"),
        ({"allowed_origins": "*"}, "allowed_origins"),
        ({"headers": {"X Y": "v"}}, "headers"),
        ({"headers": {"X": "v", "x": "w"}}, "headers"),
        ({"headers": {"X": "a\r\nHost: b"}}, "headers.X"),
        ({"headers": {"X": ""}}, "headers.X"),
        ({"headers": {"X": HIDDEN}}, "headers.X"),
        ({"headers": {"X": {"hidden-secret": False}}}, "headers[...]"),
        ({"enabled": 1}, "enabled"),
        ({"verify": True}, None),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field_and_not_repeated(api, change, field):
    response = api.put(PATH, {**RULES, **change})

    assert response.status_code == 400
    assert response.json()["field"] == field or field == "headers[...]"
    assert "canary" not in response.content.decode()
    assert not Scraping.objects.exists()


def test_headers_whose_key_is_gone_are_left_out(api, acme_project, monkeypatch):
    api.put(PATH, RULES)
    monkeypatch.setattr(settings, "SECRET_KEYS", (Fernet.generate_key().decode(),))
    rules = scraping_of(access_to(acme_project))
    assert (rules.headers, rules.allowed_origins) == ((), tuple(RULES["allowed_origins"]))


def test_headers_come_under_the_newest_key(api, acme_project, monkeypatch):
    api.put(PATH, RULES)
    newest = Fernet.generate_key().decode()
    monkeypatch.setattr(settings, "SECRET_KEYS", (newest, *settings.SECRET_KEYS))
    failures = []

    assert (rotate_headers(failures.append), rotate_headers(failures.append)) == (1, 0)

    monkeypatch.setattr(settings, "SECRET_KEYS", (newest,))
    assert scraping_of(access_to(acme_project)).headers == (("X-Token", "canary-of-a-value"),)
    assert failures == []


def test_the_command_rotates_headers_too(api, monkeypatch):
    api.put(PATH, RULES)
    newest = Fernet.generate_key().decode()
    monkeypatch.setattr(settings, "SECRET_KEYS", (newest, *settings.SECRET_KEYS))
    shown = io.StringIO()

    call_command("rotate_secrets", stdout=shown)

    assert Scraping.objects.get().headers_key == key_id_of(newest)
    assert "1 re-encrypted, 0 already" in shown.getvalue()
