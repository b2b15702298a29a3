"""Who may touch sources: every endpoint, every method, every kind of caller."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from projects.scopes import SCOPES
from sources.models import SymbolSource
from tests.cast import Api, make_project, make_token
from tests.sources.helpers import HTTP, organization_path, project_path

pytestmark = pytest.mark.django_db

PROJECT = project_path()
ORGANIZATION = organization_path()
DETAIL = "/api/0/projects/acme/native-app/"
BUILTIN = "/api/0/organizations/acme/builtin-symbol-sources/"
READ, WRITE, ADMIN = {"read", "write", "admin"}, {"write", "admin"}, {"admin"}


def scopes(prefix: str, rights: set[str]) -> set[str]:
    return {f"{prefix}:{right}" for right in rights}


# Method, path, body, the status when allowed, the scopes of which any one suffices.
ENDPOINTS = [
    ("GET", PROJECT, None, 200, scopes("project", READ)),
    ("POST", PROJECT, {**HTTP, "id": "new"}, 201, scopes("project", WRITE)),
    ("PUT", f"{PROJECT}?id=honk", HTTP, 200, scopes("project", WRITE)),
    ("DELETE", f"{PROJECT}?id=honk", None, 204, scopes("project", ADMIN)),
    ("GET", ORGANIZATION, None, 200, scopes("org", READ)),
    ("POST", ORGANIZATION, {**HTTP, "id": "new"}, 201, scopes("org", WRITE)),
    ("PUT", f"{ORGANIZATION}?id=honk", HTTP, 200, scopes("org", WRITE)),
    ("DELETE", f"{ORGANIZATION}?id=honk", None, 204, scopes("org", ADMIN)),
    ("GET", DETAIL, None, 200, scopes("project", READ)),
    ("PUT", DETAIL, {"name": "New"}, 200, scopes("project", WRITE)),
    ("GET", BUILTIN, None, 200, scopes("org", READ) | scopes("project", READ)),
]
IDS = [f"{method} {path.removeprefix('/api/0/')}" for method, path, *_ in ENDPOINTS]
each_endpoint = pytest.mark.parametrize(("method", "path", "body", "status", "sufficing"), ENDPOINTS, ids=IDS)
in_a_project = pytest.mark.parametrize(
    ("method", "path", "body", "status", "sufficing"),
    [entry for entry in ENDPOINTS if entry[1].startswith("/api/0/projects/")],
)
of_the_organization = pytest.mark.parametrize(
    ("method", "path", "body", "status", "sufficing"), [entry for entry in ENDPOINTS if ORGANIZATION in entry[1]]
)


@pytest.fixture(autouse=True)
def stored(sources, shared_sources):
    sources.add(HTTP)
    shared_sources.add(HTTP)


def untouched() -> bool:
    return list(SymbolSource.objects.values_list("source_id", "revision")) == [("honk", 1), ("honk", 1)]


@each_endpoint
def test_without_a_token_nothing_opens(method, path, body, status, sufficing):
    for api in (Api(), Api("f" * 64), Api("nonsense")):
        response = api.request(method, path, body)
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == 'xBasic realm="api"'
        assert list(response.json()) == ["detail"]
    assert untouched()


@each_endpoint
def test_a_token_of_another_organization_is_401(umbrella, method, path, body, status, sufficing):
    response = Api(make_token(umbrella)).request(method, path, body)
    assert (response.status_code, response.json()) == (401, {"detail": "Unauthorized organization access."})
    assert untouched()


@each_endpoint
def test_each_scope_that_suffices_does_so_alone(acme, method, path, body, status, sufficing):
    for scope in sorted(sufficing):
        if method in {"GET", "PUT"} or scope == max(sufficing, key=len):
            assert Api(make_token(acme, scopes=[scope])).request(method, path, body).status_code in {status, 400}
    api = Api(make_token(acme, scopes=[sorted(sufficing)[0]]))
    assert api.request(method, path, body).status_code in {status, 400, 404}


@each_endpoint
def test_no_other_scopes_suffice_even_together(acme, method, path, body, status, sufficing):
    others = sorted(set(SCOPES) - sufficing)
    response = Api(make_token(acme, scopes=others)).request(method, path, body)
    assert response.status_code == 403
    assert response.json() == {"detail": "You do not have permission to perform this action."}
    assert untouched()


@in_a_project
def test_a_token_bound_to_a_project_opens_no_other(acme, acme_project, method, path, body, status, sufficing):
    other = Api(make_token(acme, make_project(acme, "other")))
    response = other.request(method, path, body)
    assert (response.status_code, response.json()) == (404, {"detail": "The requested resource does not exist"})
    assert untouched()
    assert Api(make_token(acme, acme_project)).request(method, path, body).status_code == status


@of_the_organization
def test_a_token_bound_to_a_project_does_not_open_what_all_projects_share(
    acme, acme_project, method, path, body, status, sufficing
):
    assert Api(make_token(acme, acme_project)).request(method, path, body).status_code == 403
    assert untouched()


@in_a_project
def test_a_project_that_does_not_exist_answers_as_one_of_others(
    acme, umbrella_project, method, path, body, status, sufficing
):
    api = Api(make_token(acme))
    for project in ("nothing", str(umbrella_project.pk), "99999999999999999999999", "%00"):
        response = api.request(method, path.replace("native-app", project), body)
        assert (response.status_code, response.json()) == (404, {"detail": "The requested resource does not exist"})


@in_a_project
def test_a_missing_scope_hides_whether_a_project_exists(acme, method, path, body, status, sufficing):
    api = Api(make_token(acme, scopes=["org:ci"]))
    assert api.request(method, path, body).status_code == 403
    assert api.request(method, path.replace("native-app", "nothing"), body).status_code == 403


@each_endpoint
def test_a_member_of_another_organization_finds_nothing(stranger: User, method, path, body, status, sufficing):
    response = Api(user=stranger).request(method, path, body)
    assert (response.status_code, response.json()) == (404, {"detail": "The requested resource does not exist"})
    assert untouched()


@each_endpoint
def test_members_may_what_their_role_allows(
    owner: User, admin: User, member: User, method, path, body, status, sufficing
):
    assert Api(user=member).request(method, path, body).status_code == (200 if method == "GET" else 403)
    allowed_to_admin = not (method == "DELETE" and path.startswith(ORGANIZATION))
    assert Api(user=admin).request(method, path, body).status_code == (status if allowed_to_admin else 403)
    assert Api(user=owner).request(method, path, body).status_code in {status, 400, 404}


@each_endpoint
def test_a_session_writes_only_with_its_csrf_token(owner: User, method, path, body, status, sufficing):
    response = Api(user=owner, csrf=False).request(method, path, body)
    assert response.status_code == (200 if method == "GET" else 403)
    assert method == "GET" or untouched()
