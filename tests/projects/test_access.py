"""Who may touch what: every endpoint, every kind of caller, in the order 401, 403, 404."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from projects.models import ApiToken, Organization, Project
from projects.scopes import SCOPES
from tests.cast import Api, make_project, make_token, make_user

ORG = "/api/0/organizations/acme/"
# Method, path, body, the scopes of which any one suffices.
ENDPOINTS = [
    ("GET", ORG, None, {"org:read", "org:write", "org:admin"}),
    (
        "GET",
        f"{ORG}projects/",
        None,
        {"org:read", "org:write", "org:admin", "project:read", "project:write", "project:admin"},
    ),
    ("POST", f"{ORG}projects/", {"name": "Another"}, {"org:write", "org:admin"}),
    ("GET", f"{ORG}tokens/", None, {"org:admin", "project:admin"}),
    ("POST", f"{ORG}tokens/", {"scopes": [], "project": "native-app"}, {"org:admin", "project:admin"}),
    ("GET", f"{ORG}tokens/{{token}}/", None, {"org:admin", "project:admin"}),
    ("DELETE", f"{ORG}tokens/{{token}}/", None, {"org:admin", "project:admin"}),
    ("GET", f"{ORG}audit/", None, {"org:admin"}),
    ("GET", f"{ORG}scopes/", None, set(SCOPES)),
]
IDS = [f"{method} {path.removeprefix(ORG) or 'organization'}" for method, path, _, _ in ENDPOINTS]
each_endpoint = pytest.mark.parametrize(("method", "path", "body", "sufficing"), ENDPOINTS, ids=IDS)

Paths = Callable[[str], str]


@pytest.fixture
def at(acme: Organization, acme_project: Project) -> Paths:
    """Puts the id of a token that is bound to the project into a path."""
    make_token(acme, acme_project, ["error:post"])
    token = ApiToken.objects.get(organization=acme)
    return lambda path: path.format(token=token.id)


def _body(body: dict[str, object] | None, scope: str) -> dict[str, object] | None:
    return {**body, "scopes": [scope]} if body is not None and "scopes" in body else body


@each_endpoint
def test_without_a_token_it_is_401(method, path, body, sufficing, at):
    answer = Api().request(method, at(path), body)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "Authentication credentials were not provided."
    assert answer["WWW-Authenticate"] == 'xBasic realm="api"'


@each_endpoint
@pytest.mark.parametrize("token", ["garbage", "0" * 64, "é" * 64, "A" * 64])
def test_with_a_token_nobody_issued_it_is_401(method, path, body, sufficing, token, at):
    answer = Api(token).request(method, at(path), body)
    assert answer.status_code == 401
    assert answer.json()["detail"].startswith("Invalid token")
    assert token not in answer.content.decode()


@each_endpoint
def test_with_an_expired_token_it_is_401(method, path, body, sufficing, acme, at):
    token = make_token(acme)
    ApiToken.objects.filter(prefix=token[:8]).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    answer = Api(token).request(method, at(path), body)
    assert (answer.status_code, answer.json()["detail"]) == (401, "Token expired")


@each_endpoint
def test_with_a_revoked_token_it_is_401(method, path, body, sufficing, acme, at):
    token = make_token(acme)
    ApiToken.objects.filter(prefix=token[:8]).update(revoked_at=datetime.now(UTC))
    answer = Api(token).request(method, at(path), body)
    assert (answer.status_code, answer.json()["detail"]) == (401, "Invalid token")


@each_endpoint
def test_with_a_token_of_another_organization_it_is_401(method, path, body, sufficing, umbrella, at):
    answer = Api(make_token(umbrella)).request(method, at(path), body)
    assert (answer.status_code, answer.json()["detail"]) == (401, "Unauthorized organization access.")


@each_endpoint
def test_an_organization_that_does_not_exist_looks_like_one_of_others(method, path, body, sufficing, acme, at):
    answer = Api(make_token(acme)).request(method, at(path).replace("acme", "nobody"), body)
    assert (answer.status_code, answer.json()["detail"]) == (401, "Unauthorized organization access.")


@each_endpoint
def test_without_a_sufficing_scope_it_is_403(method, path, body, sufficing, acme, at):
    others = sorted(set(SCOPES) - sufficing)
    if not others:
        pytest.skip("any scope suffices")
    answer = Api(make_token(acme, scopes=others)).request(method, at(path), body)
    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("You do not have permission to perform this action.")


@each_endpoint
def test_each_sufficing_scope_alone_opens(method, path, body, sufficing, acme, at):
    for scope in sorted(sufficing - {"org:admin"}) or ["org:admin"]:
        answer = Api(make_token(acme, scopes=[scope])).request(method, at(path), _body(body, scope))
        assert answer.status_code in {200, 201, 204}, (scope, answer.content)


@each_endpoint
def test_a_member_of_another_organization_gets_404(method, path, body, sufficing, stranger, owner, at):
    answer = Api(user=stranger).request(method, at(path), body)
    assert (answer.status_code, answer.json()["detail"]) == (404, "The requested resource does not exist")


@each_endpoint
def test_somebody_without_any_organization_gets_404(method, path, body, sufficing, owner, at):
    assert Api(user=make_user()).request(method, at(path), body).status_code == 404


@each_endpoint
def test_a_plain_member_may_only_read(method, path, body, sufficing, member, at):
    answer = Api(user=member).request(method, at(path), body)
    granted = sufficing & {"org:read", "project:read"}
    assert answer.status_code == (200 if granted else 403)


@each_endpoint
def test_an_owner_may_do_everything(method, path, body, sufficing, owner, at):
    answer = Api(user=owner).request(method, at(path), _body(body, "org:admin"))
    assert answer.status_code in {200, 201, 204}


@each_endpoint
def test_an_inactive_user_is_nobody(method, path, body, sufficing, owner, at):
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert Api(user=owner).request(method, at(path), body).status_code == 401


NOWHERE = ("9" * 30, "9223372036854775808", "0", "%00", "acme%00", "ACME", "²", "a" * 300, "-", "%F0%9F%92%A9")


@each_endpoint
def test_what_can_address_nothing_is_no_fault_of_ours(method, path, body, sufficing, acme, owner, at):
    by_token, by_owner = Api(make_token(acme)), Api(user=owner)
    for ref in NOWHERE:
        address = at(path).replace("acme", ref)
        found = [api.request(method, address, body).status_code for api in (by_token, by_owner)]
        assert found == [401, 404], ref


@each_endpoint
def test_the_numeric_id_addresses_too(method, path, body, sufficing, acme, owner, at):
    answer = Api(user=owner).request(method, at(path).replace("acme", str(acme.id)), _body(body, "org:admin"))
    assert answer.status_code in {200, 201, 204}


@pytest.mark.parametrize("path", ["projects/", "tokens/"])
def test_writing_by_session_needs_the_csrf_token(path, acme_project, owner):
    answer = Api(user=owner, csrf=False).post(f"{ORG}{path}", {"name": "x", "scopes": ["org:read"]})
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]
    assert Project.objects.count() == 1
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(("method", "path"), [("POST", "projects/"), ("GET", "audit/")])
def test_what_concerns_the_whole_organization_is_closed_to_a_token_of_one_project(method, path, acme, acme_project):
    answer = Api(make_token(acme, acme_project)).request(method, f"{ORG}{path}", {"name": "x"})
    assert answer.status_code == 403


def test_a_token_of_one_project_sees_that_project_alone(acme, acme_project):
    make_project(acme, "other")
    seen = Api(make_token(acme, acme_project, ["project:read"])).get(f"{ORG}projects/").json()
    assert [project["slug"] for project in seen] == ["native-app"]


def test_a_token_of_one_project_sees_and_revokes_only_tokens_of_that_project(acme, acme_project):
    own = make_token(acme, acme_project)
    others = [make_token(acme, make_project(acme, "other")), make_token(acme)]
    api = Api(own)
    assert [token["prefix"] for token in api.get(f"{ORG}tokens/").json()] == [own[:8]]
    for other in others:
        path = f"{ORG}tokens/{ApiToken.objects.get(prefix=other[:8]).id}/"
        assert (api.get(path).status_code, api.delete(path).status_code) == (404, 404)
        assert Api(other).get(ORG).status_code == 200


def test_project_admin_sees_and_revokes_only_bound_tokens(acme, acme_project):
    api = Api(make_token(acme, scopes=["project:admin"]))
    bound, free = make_token(acme, acme_project), make_token(acme)
    assert [token["prefix"] for token in api.get(f"{ORG}tokens/").json()] == [bound[:8]]
    assert api.delete(f"{ORG}tokens/{ApiToken.objects.get(prefix=free[:8]).id}/").status_code == 404


def test_tokens_of_another_organization_do_not_exist(acme, umbrella):
    make_token(umbrella)
    foreign = ApiToken.objects.get(organization=umbrella)
    api = Api(make_token(acme))
    assert api.get(f"{ORG}tokens/{foreign.id}/").status_code == 404
    assert api.delete(f"{ORG}tokens/{foreign.id}/").status_code == 404
    assert ApiToken.objects.get(id=foreign.id).revoked_at is None


def test_one_sees_the_organizations_one_is_in(acme, umbrella, admin, stranger):
    def seen(api: Api) -> list[str]:
        return [organization["slug"] for organization in api.get("/api/0/organizations/").json()]

    assert seen(Api(user=admin)) == ["acme"]
    assert seen(Api(user=stranger)) == ["umbrella"]
    assert seen(Api(user=make_user())) == []
    assert seen(Api(make_token(acme, scopes=["org:read"]))) == ["acme"]
    assert Api(make_token(acme, scopes=["project:read"])).get("/api/0/organizations/").status_code == 403
    assert Api().get("/api/0/organizations/").status_code == 401


def test_projects_of_another_organization_are_not_listed(acme_project, umbrella_project, owner, stranger):
    for api in (Api(make_token(acme_project.organization)), Api(user=owner)):
        assert [project["id"] for project in api.get(f"{ORG}projects/").json()] == [str(acme_project.id)]
    theirs = Api(user=stranger).get("/api/0/organizations/umbrella/projects/").json()
    assert [project["id"] for project in theirs] == [str(umbrella_project.id)]
