"""The audit trail: every write, by whom, with which token, and no secret."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from projects import audit
from projects.access import SYSTEM
from projects.models import ApiToken, AuditEntry, Project
from tests.cast import Api, make_token

ORG = "/api/0/organizations/acme/"


def test_a_write_by_token_names_the_token(acme):
    text = make_token(acme)
    assert Api(text).post(f"{ORG}projects/", {"name": "Native App"}).status_code == 201
    entry = Api(text).get(f"{ORG}audit/").json()[0]
    assert (entry["action"], entry["target"], entry["project"]) == ("project.created", "native-app", "native-app")
    assert entry["actor"] == {"kind": "token", "email": None, "token": text[:8]}
    assert entry["data"] == {"name": "Native App", "platform": ""}


def test_a_write_by_a_member_names_the_member(acme, owner):
    Api(user=owner).post(f"{ORG}tokens/", {"scopes": ["org:read"], "name": "mine"})
    entry = Api(user=owner).get(f"{ORG}audit/").json()[0]
    assert (entry["action"], entry["actor"]["kind"], entry["actor"]["email"]) == ("token.created", "user", owner.email)


def test_a_write_by_the_shell_names_the_system(acme, owner):
    entries = Api(user=owner).get(f"{ORG}audit/").json()
    assert [entry["action"] for entry in entries] == ["member.added", "organization.created"]
    assert {entry["actor"]["kind"] for entry in entries} == {"system"}


def test_creating_and_revoking_a_token_leaves_no_secret(acme):
    api = Api(make_token(acme))
    created = api.post(f"{ORG}tokens/", {"scopes": ["org:read"], "name": "ci"}).json()
    for _ in range(2):
        api.delete(f"{ORG}tokens/{created['id']}/")
    answer = api.get(f"{ORG}audit/")
    actions = [entry["action"] for entry in answer.json() if entry["target"] == created["prefix"]]
    assert actions == ["token.revoked", "token.created"]
    assert created["token"][8:] not in answer.content.decode()
    assert created["token"][8:] not in repr(list(AuditEntry.objects.values()))


def test_a_token_pasted_into_a_name_is_masked(acme):
    text = make_token(acme)
    Api(text).post(f"{ORG}projects/", {"name": f"oops {text}", "slug": "oops"})
    entry = AuditEntry.objects.get(action="project.created")
    assert entry.data["name"] == f"oops {text[:8]}…"


def test_a_refused_write_leaves_no_entry(acme_project):
    before = AuditEntry.objects.count()
    api = Api(make_token(acme_project.organization))
    api.post(f"{ORG}projects/", {"name": "x", "slug": "native-app"})
    api.post(f"{ORG}tokens/", {"scopes": ["nothing"]})
    assert AuditEntry.objects.count() == before + 1  # the token of the test itself


def test_without_its_entry_a_write_does_not_happen(acme):
    text = make_token(acme)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE projects_auditentry ADD CHECK (action <> 'project.created')")
    assert Api(text).post(f"{ORG}projects/", {"name": "x"}).status_code == 500
    assert not Project.objects.exists()


def test_the_trail_is_the_organizations_own(acme, umbrella, stranger):
    seen = Api(make_token(acme)).get(f"{ORG}audit/").json()
    assert {entry["target"] for entry in seen} & {"umbrella", stranger.email} == set()


def test_the_trail_is_paged_newest_first(acme):
    for number in range(5):
        audit.record(organization=acme, actor=SYSTEM, action="test.done", target=str(number), data={})
    api = Api(make_token(acme, scopes=["org:admin"]))
    first = api.get(f"{ORG}audit/?per_page=3")
    assert [entry["target"] for entry in first.json()][1:] == ["4", "3"]
    cursor = first["Link"].rpartition('cursor="')[2].rstrip('"')
    second = api.get(f"{ORG}audit/?per_page=3&cursor={cursor}")
    assert [entry["target"] for entry in second.json()] == ["2", "1", "0"]


def test_an_entry_outlives_its_token_by_name(acme):
    text = make_token(acme)
    Api(text).post(f"{ORG}projects/", {"name": "x"})
    ApiToken.objects.all().delete()
    entry = AuditEntry.objects.get(action="project.created")
    assert (entry.token, entry.token_prefix) == (None, text[:8])


@pytest.mark.parametrize(
    "name", ["password", "secret_key", "private_key", "appconnectPrivateKey", "secretKey", "token", "Authorization"]
)
def test_secrets_are_masked_by_their_name(name):
    data = {"source": {"id": "mine", name: "c4n4ry"}, "list": [{name: "c4n4ry"}]}
    assert "c4n4ry" not in repr(audit.masked(data))
    assert audit.masked(data)["source"] == {"id": "mine", name: {"hidden-secret": True}}


@pytest.mark.parametrize("name", ["access_key", "username", "client_email", "url", "tokens_seen", "keyboard"])
def test_what_is_no_secret_stays(name):
    assert audit.masked({name: "shown"}) == {name: "shown"}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(_json, st.binary(min_size=32, max_size=32).map(bytes.hex))
def test_no_token_survives_anywhere(value, token):
    assert token not in repr(audit.masked({"a": [value, f"x{token}y"], "b": {"c": token}}))
