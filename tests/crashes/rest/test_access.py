"""Who may see and change crashes: every endpoint, every kind of caller."""

from __future__ import annotations

import pytest

from core.blobs import blob_store
from crashes.models import Attachment, Crash, Group
from projects.scopes import ADMIN, MEMBER, OWNER, SCOPES
from tests.cast import Api, make_member, make_project, make_token
from tests.crashes.grouping.making import grouped

pytestmark = pytest.mark.django_db

P = "/api/0/projects/acme/native-app/crashes/"
READ, RAW, WRITE, DELETE = {"event:read"}, {"event:raw"}, {"event:write"}, {"event:admin"}
MEMBERS, ADMINS = {MEMBER, ADMIN, OWNER}, {ADMIN, OWNER}

# Method, path, body, the status when allowed, the scope that suffices, the roles that have it.
ENDPOINTS = [
    ("GET", "", None, 200, READ, MEMBERS),
    ("GET", "{crash}/", None, 200, READ, MEMBERS),
    ("GET", "{rxid}/", None, 200, READ, MEMBERS),
    ("GET", "{crash}/result/", None, 200, READ, MEMBERS),
    ("GET", "{crash}/attachments/", None, 200, READ, MEMBERS),
    ("GET", "{crash}/attachments/{attachment}/", None, 200, RAW, ADMINS),
    ("GET", "{crash}/raw/", None, 200, RAW, ADMINS),
    ("POST", "{crash}/process/", None, 202, WRITE, MEMBERS),
    ("GET", "groups/", None, 200, READ, MEMBERS),
    ("GET", "groups/{group}/", None, 200, READ, MEMBERS),
    ("PUT", "groups/{group}/", {"state": "ignored"}, 200, WRITE, MEMBERS),
    ("POST", "regroup/", None, 202, WRITE, MEMBERS),
    ("DELETE", "{crash}/", None, 204, DELETE, ADMINS),
]
each_endpoint = pytest.mark.parametrize(
    ("method", "path", "body", "status", "sufficing", "roles"),
    ENDPOINTS,
    ids=[f"{row[0]} {row[1] or 'list'}" for row in ENDPOINTS],
)


@pytest.fixture
def names(acme_project):
    crash = grouped(acme_project, "post", state="done")
    with blob_store().incoming(10) as incoming:
        incoming.write(b"log")
        incoming.finish()
        blob_store().keep(incoming, crash.blob_key)
    attachment = Attachment.objects.create(
        crash=crash, name="app.log", blob_key=crash.blob_key, size=3, sha256=crash.sha256
    )
    return {"crash": crash.pk, "rxid": crash.rxid, "group": crash.group_id, "attachment": attachment.pk}


def state() -> list[object]:
    return [*Crash.objects.values_list("pk", "state"), *Group.objects.values_list("pk", "state")]


def test_without_a_token_or_with_anothers_nothing_opens(names, umbrella):
    before = state()
    callers = (Api(), Api("f" * 64), Api(make_token(umbrella)))
    for method, path, body, *_ in ENDPOINTS:
        found = [api.request(method, P + path.format(**names), body).status_code for api in callers]
        assert (found, state()) == ([401] * 3, before), (method, path)


@each_endpoint
def test_the_scope_that_suffices_does_and_all_others_together_do_not(
    acme, names, method, path, body, status, sufficing, roles
):
    before = state()
    others = [scope for scope in SCOPES if scope not in sufficing]
    assert Api(make_token(acme, scopes=others)).request(method, P + path.format(**names), body).status_code == 403
    assert state() == before
    allowed = Api(make_token(acme, scopes=sufficing)).request(method, P + path.format(**names), body)
    assert allowed.status_code == status


@each_endpoint
def test_what_is_anothers_does_not_exist(
    acme, names, umbrella, umbrella_project, method, path, body, status, sufficing, roles
):
    """Rows of another project or organization cannot be reached by their ids."""
    before = state()
    bound = Api(make_token(acme, make_project(acme, "sibling")))
    assert bound.request(method, P + path.format(**names), body).status_code == 404
    if "{" in path:
        for api, prefix in (
            (bound, "/api/0/projects/acme/sibling/crashes/"),
            (Api(make_token(umbrella)), "/api/0/projects/umbrella/native-app/crashes/"),
        ):
            assert api.request(method, prefix + path.format(**names), body).status_code == 404
    assert state() == before


@each_endpoint
@pytest.mark.parametrize("role", [MEMBER, ADMIN])
def test_members_may_what_their_role_says(acme, names, method, path, body, status, sufficing, roles, role):
    api = Api(user=make_member(acme, role))
    assert api.request(method, P + path.format(**names), body).status_code == (status if role in roles else 403)


@pytest.mark.parametrize("path", ["{crash}/attachments/{attachment}/"])
def test_an_attachment_of_another_crash_is_not_found(acme_project, acme, names, path):
    other = grouped(acme_project, "main")
    found = Api(make_token(acme)).get(P + path.format(**(names | {"crash": other.pk})))
    assert found.status_code == 404


@pytest.mark.parametrize("reference", ["0", "x", "999999999999999999", "9" * 30, "%00", "-1", "1.5"])
def test_ids_that_are_none_are_not_found(acme, names, reference):
    api = Api(make_token(acme))
    for path in (
        f"{reference}/",
        f"{reference}/raw/",
        f"groups/{reference}/",
        f"{names['crash']}/attachments/{reference}/",
    ):
        assert api.get(P + path).status_code == 404
