"""Tokens by REST: created, shown once, never beyond one's own scopes, revoked."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from projects import services
from projects.access import SYSTEM
from projects.models import ApiToken
from projects.scopes import ROLE_SCOPES, SCOPES
from tests.cast import Api, make_project, make_token

TOKENS = "/api/0/organizations/acme/tokens/"


def test_a_token_is_shown_once_and_works(acme, acme_project):
    api = Api(make_token(acme))
    body = {
        "name": "ci",
        "scopes": ["org:ci", "org:read"],
        "project": "native-app",
        "expiresAt": "2040-01-01T00:00:00Z",
    }
    answer = api.post(TOKENS, body)
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    shown = answer.json()
    text = shown.pop("token")
    assert re.fullmatch("[0-9a-f]{64}", text)
    assert shown["prefix"] == text[:8]
    assert (shown["name"], shown["scopes"], shown["project"]) == ("ci", ["org:ci", "org:read"], "native-app")
    assert shown["expiresAt"] == "2040-01-01T00:00:00Z"
    assert api.get(f"{TOKENS}{shown['id']}/").json() == shown
    assert text not in api.get(TOKENS).content.decode()
    assert Api(text).get("/api/0/").json()["auth"] == {"scopes": ["org:ci", "org:read"]}


def test_the_database_holds_the_digest_alone(acme, admin):
    text = make_token(acme)
    Api(text).get("/api/0/")
    stored = ApiToken.objects.get()
    assert bytes(stored.digest) == hashlib.sha256(text.encode()).digest()
    assert text not in repr(stored)
    assert text not in str(stored)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, '') FROM projects_apitoken t")
        tokens = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(a::text, '') FROM projects_auditentry a")
        entries = cursor.fetchone()[0]
    assert text[8:] not in tokens + entries
    assert hashlib.sha256(text.encode()).hexdigest() not in entries


def test_a_token_gives_only_scopes_of_its_own(acme):
    api = Api(make_token(acme, scopes=["org:admin", "project:read"]))
    assert api.post(TOKENS, {"scopes": ["project:read", "org:admin"]}).status_code == 201
    for scope in sorted(set(SCOPES) - {"org:admin", "project:read"}):
        answer = api.post(TOKENS, {"scopes": ["project:read", scope]})
        assert (answer.status_code, answer.json()["field"], answer.json()["code"]) == (403, "scopes", "scope")
        assert scope in answer.json()["detail"]
    assert ApiToken.objects.count() == 2


def test_a_member_gives_only_scopes_of_the_role(acme_project, admin, owner):
    beyond = sorted(set(SCOPES) - ROLE_SCOPES["admin"])
    for scope in beyond:
        assert Api(user=admin).post(TOKENS, {"scopes": [scope], "project": "native-app"}).status_code == 403
        assert Api(user=owner).post(TOKENS, {"scopes": [scope]}).status_code == 201
    granted = sorted(ROLE_SCOPES["admin"])
    answer = Api(user=admin).post(TOKENS, {"scopes": granted, "project": "native-app"})
    assert (answer.status_code, answer.json()["createdBy"]) == (201, "admin@acme.example")


def test_a_token_of_a_project_makes_tokens_of_that_project_alone(acme, acme_project, umbrella_project):
    other = make_project(acme, "other")
    api = Api(make_token(acme, acme_project))
    for ref in (None, "native-app", str(acme_project.id)):
        answer = api.post(TOKENS, {"scopes": ["error:post"], "project": ref})
        assert (answer.status_code, answer.json()["project"]) == (201, "native-app")
    refused = [
        api.post(TOKENS, {"scopes": ["error:post"], "project": ref})
        for ref in ("other", str(other.id), str(umbrella_project.id), "nothing", "9" * 40, "", "a\nb")
    ]
    assert {answer.status_code for answer in refused} == {400}
    assert {answer.json()["detail"] for answer in refused} == {"project: does not exist"}


def test_project_admin_makes_no_tokens_of_the_whole_organization(acme, acme_project):
    api = Api(make_token(acme, scopes=["project:admin"]))
    refused = api.post(TOKENS, {"scopes": ["project:admin"]})
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert "org:admin" in refused.json()["detail"]
    assert api.post(TOKENS, {"scopes": ["project:admin"], "project": "native-app"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"scopes": "org:read"}, "scopes"),
        ({"scopes": ["c4n4ry"]}, "scopes"),
        ({"scopes": [5]}, "scopes[0]"),
        ({"scopes": ["org:read"] * 50}, "scopes"),
        ({"scopes": ["org:read"], "name": 5}, "name"),
        ({"scopes": ["org:read"], "name": "c4n4ry\0"}, "name"),
        ({"scopes": ["org:read"], "name": "c4n4ry" * 40}, "name"),
        ({"scopes": ["org:read"], "project": 5}, "project"),
        ({"scopes": ["org:read"], "project": "c4n4ry\0"}, "project"),
        ({"scopes": ["org:read"], "expiresAt": "c4n4ry"}, "expiresAt"),
        ({"scopes": ["org:read"], "expiresAt": 5}, "expiresAt"),
        ({"scopes": ["org:read"], "expiresAt": "2040-01-01T00:00:00"}, "expiresAt"),
        ({"scopes": ["org:read"], "expiresAt": "2001-01-01T00:00:00Z"}, "expiresAt"),
        ({"scopes": ["org:read"], "expiresAt": "0001-01-01T00:00:00+14:00"}, "expiresAt"),
        ({"scopes": ["org:read"], "expiresAt": "9999-12-31T23:59:59-14:00"}, "expiresAt"),
        ({"scopes": ["org:read"], "expires": "c4n4ry"}, "expires"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not(body, field, acme):
    answer = Api(make_token(acme)).post(TOKENS, body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"detail", "code", "field"}
    assert field in answer.json()["detail"]
    assert answer.json()["field"] in (field, None)
    assert "c4n4ry" not in answer.content.decode()
    assert ApiToken.objects.count() == 1


def test_a_scope_named_twice_is_given_once(acme):
    answer = Api(make_token(acme)).post(TOKENS, {"scopes": ["org:read", "org:read"]})
    assert answer.json()["scopes"] == ["org:read"]


def test_a_revoked_token_ends_at_once_and_stays_in_the_list(acme):
    api, text = Api(make_token(acme)), make_token(acme)
    token = ApiToken.objects.get(prefix=text[:8])
    assert Api(text).get("/api/0/").status_code == 200
    answers = [api.delete(f"{TOKENS}{token.id}/") for _ in range(2)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    assert Api(text).get("/api/0/").json() == {"detail": "Invalid token"}
    assert api.get(f"{TOKENS}{token.id}/").json()["revokedAt"] is not None
    assert api.get(TOKENS).json()[1]["revokedAt"] is not None


def test_a_token_can_revoke_itself(acme):
    text = make_token(acme)
    path = f"{TOKENS}{ApiToken.objects.get().id}/"
    assert Api(text).delete(path).status_code == 204
    assert Api(text).delete(path).status_code == 401


@pytest.mark.parametrize("ref", ["0", "x", "9223372036854775808", "9" * 60, "%00", "²", "-1"])
def test_an_id_that_can_be_no_token_is_404(ref, acme):
    api = Api(make_token(acme))
    assert (api.get(f"{TOKENS}{ref}/").status_code, api.delete(f"{TOKENS}{ref}/").status_code) == (404, 404)


def test_a_token_expires_to_the_second(acme):
    soon = datetime.now(UTC) + timedelta(hours=1)
    _, text = services.issue_token(organization=acme, actor=SYSTEM, scopes=["org:read"], expires_at=soon)
    assert Api(text).get("/api/0/").status_code == 200
    ApiToken.objects.update(expires_at=datetime.now(UTC))
    assert Api(text).get("/api/0/").json() == {"detail": "Token expired"}


def test_the_scopes_are_listed_with_what_they_allow(acme):
    shown = Api(make_token(acme, scopes=["error:post"])).get("/api/0/organizations/acme/scopes/").json()
    assert [row["scope"] for row in shown] == list(SCOPES)
    assert [row["scope"] for row in shown if row["granted"]] == ["error:post"]
    assert {"scope": "org:admin", "text": SCOPES["org:admin"], "roles": ["owner"], "granted": False} in shown


def test_every_role_has_known_scopes_and_each_more_than_the_one_below():
    assert ROLE_SCOPES["member"] < ROLE_SCOPES["admin"] < ROLE_SCOPES["owner"] == set(SCOPES)
