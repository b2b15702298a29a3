"""Releases by an organization's addresses."""

from __future__ import annotations

import pytest

from debugfiles.models import Release
from projects.models import AuditEntry
from tests.cast import Api, make_project, make_token
from tests.debugfiles.protocol.sending import ORGANIZATION
from tests.debugfiles.uploading import upload_file

pytestmark = pytest.mark.django_db

RELEASES = f"{ORGANIZATION}releases/"


@pytest.fixture
def api(acme, acme_project):
    return Api(make_token(acme))


def new(version="1.0", projects=("native-app",), **more):
    return {"version": version, "projects": list(projects), **more}


def test_a_release_is_created_shown_finalized_and_deleted(api):
    made = api.post(RELEASES, new("app@1.0+7", dateStarted="2026-01-01T00:00:00Z"))
    assert (made.status_code, made.json()["version"], made.json()["dateReleased"]) == (201, "app@1.0+7", None)
    assert [project["slug"] for project in made.json()["projects"]] == ["native-app"]
    assert api.post(RELEASES, new("app@1.0+7")).status_code == 208
    assert [row["version"] for row in api.get(RELEASES).json()] == ["app@1.0+7"]
    assert [row["version"] for row in api.get(f"{RELEASES}?query=none").json()] == []

    one = f"{RELEASES}app@1.0%2B7/"
    out = api.put(one, {"dateReleased": "2026-02-03T04:05:06Z", "projects": ["native-app"], "refs": []})
    assert (out.status_code, out.json()["dateReleased"]) == (200, "2026-02-03T04:05:06Z")
    assert api.put(one, {"refs": []}).json()["dateReleased"] == "2026-02-03T04:05:06Z"
    assert api.get(one).json()["dateReleased"] == "2026-02-03T04:05:06Z"

    assert api.delete(one).status_code == 204
    assert api.get(one).status_code == 404
    actions = list(
        AuditEntry.objects.filter(action__startswith="release").order_by("id").values_list("action", flat=True)
    )
    assert actions == ["release.created", "release.finalized", "release.deleted"]


def test_a_release_may_be_created_as_released(api):
    assert api.post(RELEASES, new(dateReleased="2026-02-03T04:05:06Z")).json()["dateReleased"]


def test_a_release_of_no_project_is_the_organizations(api):
    assert api.post(RELEASES, {"version": "1.0"}).json()["projects"] == []
    assert AuditEntry.objects.filter(action="release.created", project=None).count() == 1


@pytest.mark.parametrize("body", [new(""), new("a/b"), new(projects=["absent"]), {"projects": ["native-app"]}, []])
def test_a_bad_release_is_refused(api, body):
    answer = api.post(RELEASES, body)
    assert (answer.status_code, set(answer.json())) == (400, {"error"})
    assert not Release.objects.exists()


def test_projects_are_added(api, acme):
    make_project(acme, "other")
    api.post(RELEASES, new())
    api.post(RELEASES, new(projects=["other"]))
    assert len(api.get(f"{RELEASES}1.0/").json()["projects"]) == 2


def test_a_token_bound_to_a_project_sees_and_deletes_its_part(api, acme, acme_project):
    other = make_project(acme, "other")
    bound = Api(make_token(acme, acme_project))
    api.post(RELEASES, new("others", projects=["other"]))
    api.post(RELEASES, new("both", projects=["other", "native-app"]))
    upload_file(acme_project, "both", "~/a.js")
    upload_file(other, "both", "~/b.js")

    assert [row["version"] for row in bound.get(RELEASES).json()] == ["both"]
    assert bound.get(f"{RELEASES}others/").status_code == 404
    assert bound.post(RELEASES, new("2.0", projects=["other"])).status_code == 400
    assert [project["slug"] for project in bound.post(RELEASES, {"version": "2.0"}).json()["projects"]] == [
        "native-app"
    ]
    assert bound.delete(f"{RELEASES}both/").status_code == 204
    left = Release.objects.get(version="both")
    assert (list(left.projects.all()), [file.name for file in left.files.all()]) == ([other], ["~/b.js"])


def test_lists_come_in_pages_with_link_headers(api):
    for number in range(3):
        api.post(RELEASES, new(str(number)))
    page = api.get(f"{RELEASES}?per_page=2")
    assert [row["version"] for row in page.json()] == ["2", "1"]
    assert 'rel="next"; results="true"' in page["Link"]


def test_regions_are_not_served(api):
    assert api.get("/api/0/users/me/regions/").status_code == 404


def test_a_project_leaves_a_release_by_its_own_address(api, acme):
    make_project(acme, "other")
    api.post(RELEASES, new(projects=["native-app", "other"]))
    for project, left in (("native-app", 1), ("other", 0)):
        assert api.delete(f"/api/0/projects/acme/{project}/releases/1.0/").status_code == 204
        assert Release.objects.count() == left
