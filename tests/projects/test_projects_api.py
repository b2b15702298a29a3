"""Organizations and projects by REST."""

from __future__ import annotations

import re
import threading

import pytest
from django.db import connections

from core.api import ApiError
from projects import services
from projects.access import SYSTEM
from projects.models import AuditEntry, Project
from tests.cast import Api, make_member, make_organization, make_project, make_token, make_user

PROJECTS = "/api/0/organizations/acme/projects/"


def links(answer) -> dict[str, tuple[str, str]]:
    """Relation: (results, cursor), read as sentry-cli does."""
    found = re.findall(r'<([^>]+)>; rel="(\w+)"; results="(\w+)"; cursor="([^"]+)"', answer["Link"])
    return {relation: (results, cursor) for _, relation, results, cursor in found}


def test_an_organization_has_every_field_that_sentry_cli_demands(acme):
    api = Api(make_token(acme))
    expected = {
        "id": str(acme.id),
        "slug": "acme",
        "name": "Acme",
        "isEarlyAdopter": False,
        "require2FA": False,
        "requireEmailVerification": False,
        "features": [],
    }
    shown = api.get("/api/0/organizations/acme/").json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", shown.pop("dateCreated"))
    assert shown == expected
    assert [row["slug"] for row in api.get("/api/0/organizations/?cursor=").json()] == ["acme"]


def test_a_project_is_created_and_listed(acme):
    api = Api(make_token(acme))
    created = api.post(PROJECTS, {"name": "Native App", "slug": "native", "platform": "native"})
    assert created.status_code == 201
    project = Project.objects.get()
    assert created.json() == {
        "id": str(project.id),
        "slug": "native",
        "name": "Native App",
        "platform": "native",
        "dateCreated": created.json()["dateCreated"],
    }
    assert api.get(PROJECTS).json() == [created.json()]


@pytest.mark.parametrize("absent", [{}, {"slug": None, "platform": None}])
def test_null_counts_as_absent(absent, acme):
    answer = Api(make_token(acme)).post(PROJECTS, {"name": "Native App", **absent})
    assert (answer.status_code, answer.json()["slug"], answer.json()["platform"]) == (201, "native-app", None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "c4n4ry\0"}, "name"),
        ({"name": "x", "slug": "C4N4RY"}, "slug"),
        ({"name": "x", "slug": "123"}, "slug"),
        ({"name": "x", "slug": "new"}, "slug"),
        ({"name": "x", "slug": "abc\n"}, "slug"),
        ({"name": "x", "slug": ["c4n4ry"]}, "slug"),
        ({"name": "x", "platform": "c4n4ry" * 20}, "platform"),
        ({"name": "x", "platform": True}, "platform"),
        ({"name": "x", "slgu": "c4n4ry"}, "slgu"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not(body, field, acme):
    answer = Api(make_token(acme)).post(PROJECTS, body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert field in answer.json()["error"]
    assert "c4n4ry" not in answer.content.decode().lower()
    assert not Project.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b"5", b"null", b"\xff", b'{"name": "\xff"}', b'{"name": "\\ud800"}', b"[" * 100_000,
     b'{"name": "x", "slug": ' + b"[" * 100_000, b'{"name": NaN}'],
)  # fmt: skip
def test_a_body_that_is_no_object_of_ours_is_400(body, acme):
    answer = Api(make_token(acme)).post(PROJECTS, body)
    assert answer.status_code == 400
    assert len(answer.json()) == 1


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_that_is_not_json_is_415(content_type, acme):
    answer = Api(make_token(acme)).post(PROJECTS, b'{"name": "x"}', content_type=content_type)
    assert (answer.status_code, list(answer.json())) == (415, ["detail"])


def test_a_charset_beside_the_media_type_is_fine(acme):
    answer = Api(make_token(acme)).post(PROJECTS, {"name": "x"}, content_type="Application/JSON; charset=utf-8")
    assert answer.status_code == 201


def test_a_body_beyond_the_limit_is_413(acme, settings):
    settings.API_BODY_MAX_BYTES = 100
    answer = Api(make_token(acme)).post(PROJECTS, {"name": "x" * 150})
    assert (answer.status_code, list(answer.json())) == (413, ["detail"])


def test_access_is_decided_before_the_body_is_looked_at(acme, umbrella):
    assert Api(make_token(acme, scopes=["org:read"])).post(PROJECTS, b"{").status_code == 403
    assert Api(make_token(umbrella)).post(PROJECTS, b"{").status_code == 401


def test_another_method_is_405_and_says_which_there_are(acme):
    answer = Api(make_token(acme)).request("PATCH", PROJECTS)
    assert (answer.status_code, list(answer.json())) == (405, ["detail"])
    assert "POST" in answer["Allow"]


@pytest.mark.parametrize("accept", ["application/xml", "text/html", "nonsense"])
def test_json_is_the_answer_whatever_is_accepted(accept, acme):
    answer = Api(make_token(acme)).get(f"{PROJECTS}?format=xml", accept=accept)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_a_slug_that_is_taken_is_409(acme_project):
    answer = Api(make_token(acme_project.organization)).post(PROJECTS, {"name": "x", "slug": "native-app"})
    assert (answer.status_code, answer.json()) == (409, {"error": "slug: is taken"})


def test_pages_follow_each_other_forwards_and_back(acme):
    slugs = [make_project(acme, f"app{number}").slug for number in range(5)]
    api = Api(make_token(acme))
    seen, cursor, pages = [], "", []
    while True:
        answer = api.get(f"{PROJECTS}?per_page=2&cursor={cursor}")
        pages.append([row["slug"] for row in answer.json()])
        seen += pages[-1]
        results, cursor = links(answer)["next"]
        if results == "false":
            break
    assert seen == slugs
    assert pages == [slugs[:2], slugs[2:4], slugs[4:]]
    back = api.get(f"{PROJECTS}?per_page=2&cursor={links(answer)['previous'][1]}")
    assert [row["slug"] for row in back.json()] == slugs[2:4]
    first = api.get(f"{PROJECTS}?per_page=2&cursor={links(back)['previous'][1]}")
    assert [row["slug"] for row in first.json()] == slugs[:2]
    assert links(first)["previous"][0] == "false"
    assert links(first)["next"][0] == "true"


def test_a_row_that_is_removed_meanwhile_makes_no_other_vanish(acme):
    slugs = [make_project(acme, f"app{number}").slug for number in range(4)]
    api = Api(make_token(acme))
    answer = api.get(f"{PROJECTS}?per_page=2")
    Project.objects.get(slug=slugs[0]).delete()
    following = api.get(f"{PROJECTS}?per_page=2&cursor={links(answer)['next'][1]}")
    assert [row["slug"] for row in following.json()] == slugs[2:]


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=1", "cursor=1:0:2", f"cursor={'9' * 19}:0:0", "per_page=0", "per_page=101",
              "per_page=-1", "per_page=%C2%B2", "cursor=%00"]
)  # fmt: skip
def test_a_malformed_page_is_400(query, acme):
    assert Api(make_token(acme)).get(f"{PROJECTS}?{query}").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_many_who_create_projects_of_the_same_name_all_succeed():
    acme = make_organization("acme")
    errors: list[Exception] = []

    def create() -> None:
        try:
            services.create_project(organization=acme, name="App", actor=SYSTEM)
        except ApiError as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=create) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert errors == []
    assert set(Project.objects.values_list("slug", flat=True)) == {"app", *(f"app-{number}" for number in range(2, 7))}


def test_what_is_changed_of_a_project_is_stored_and_noted(acme_project, admin):
    from projects.access import Actor

    changed = services.update_project(
        project=acme_project, actor=Actor("user", admin.id), name="New name", platform=acme_project.platform
    )
    assert (changed.name, changed.sources_revision) == ("New name", 0)
    entry = AuditEntry.objects.get(action="project.changed")
    assert (entry.data, entry.user, entry.project) == ({"name": "New name"}, admin, acme_project)


def test_another_choice_of_builtin_sources_makes_a_new_revision(acme_project):
    for _ in range(2):
        changed = services.update_project(project=acme_project, actor=SYSTEM, builtin_sources=["microsoft"])
    assert (changed.builtin_sources, changed.sources_revision) == (["microsoft"], 1)
    assert AuditEntry.objects.filter(action="project.changed").count() == 1


def test_a_member_gets_another_role(acme):
    user = make_member(acme, "member")
    services.add_member(organization=acme, user=user, role="owner", actor=SYSTEM)
    assert [membership.role for membership in user.memberships.all()] == ["owner"]
    with pytest.raises(ApiError, match="role"):
        services.add_member(organization=acme, user=user, role="king", actor=SYSTEM)


def test_an_address_signs_up_once(db):
    make_user("Ann@Example.com")
    with pytest.raises(ApiError, match="taken"):
        make_user("ann@example.com")
