"""Who may touch uploads: every endpoint, every kind of caller."""

from __future__ import annotations

import pytest

from debugfiles.models import ArtifactBundle, DebugFile, Release, ReleaseFile, Scraping
from projects.scopes import SCOPES
from tests.cast import Api, make_project, make_token
from tests.debugfiles.uploading import APP, PROGUARD, bundle_of, upload, upload_bundle, upload_file

pytestmark = pytest.mark.django_db

P = "/api/0/projects/acme/native-app/"
UPLOAD = {"project:write", "project:admin", "project:releases", "org:ci"}
READ = {"project:read", *UPLOAD}
DELETE = {"project:admin", "project:releases"}
SETTINGS_READ, SETTINGS_WRITE = {"project:read", "project:write", "project:admin"}, {"project:write", "project:admin"}

# Method, path below the project, body, the status when allowed, the scopes of which any one suffices.
ENDPOINTS = [
    ("GET", "debug-files/", None, 200, READ),
    ("POST", "debug-files/?name=new", PROGUARD + b"#", 201, UPLOAD),
    ("GET", "debug-files/retention/", None, 200, SETTINGS_READ),
    ("PUT", "debug-files/retention/", {"keepDays": 30}, 200, {"project:admin"}),
    ("GET", "files/dsyms/", None, 200, READ),
    ("GET", "files/dsyms/?id={file}", None, 200, {"symbols:read", "project:write", "project:admin"}),
    ("DELETE", "files/dsyms/?id={file}", None, 204, DELETE),
    ("GET", "artifact-lookup/?release=9&url=a", None, 200, READ),
    (
        "GET",
        "artifact-lookup/?download=artifact_bundle/{bundle}",
        None,
        200,
        {"symbols:read", "project:write", "project:admin"},
    ),
    ("GET", "debug-files/{file}/", None, 200, READ),
    ("GET", "debug-files/{file}/download/", None, 200, {"symbols:read", "project:write", "project:admin"}),
    ("DELETE", "debug-files/{file}/", None, 204, DELETE),
    ("GET", "artifact-bundles/", None, 200, READ),
    ("POST", "artifact-bundles/", bundle_of(APP, org="x"), 201, UPLOAD),
    ("GET", "artifact-bundles/{bundle}/", None, 200, READ),
    ("DELETE", "artifact-bundles/{bundle}/", None, 204, DELETE),
    ("GET", "releases/", None, 200, READ),
    ("POST", "releases/", {"version": "9.0"}, 201, UPLOAD),
    ("GET", "releases/1.0/", None, 200, READ),
    ("PUT", "releases/1.0/", {}, 200, UPLOAD),
    ("DELETE", "releases/1.0/", None, 204, DELETE),
    ("GET", "releases/1.0/files/", None, 200, READ),
    ("POST", "releases/1.0/files/?name=~/b.js", b"x", 201, UPLOAD),
    ("GET", "releases/1.0/files/{release_file}/", None, 200, READ),
    ("DELETE", "releases/1.0/files/{release_file}/", None, 204, DELETE),
    ("GET", "scraping/", None, 200, SETTINGS_READ),
    ("PUT", "scraping/", {"enabled": False}, 200, SETTINGS_WRITE),
]
each_endpoint = pytest.mark.parametrize(
    ("method", "path", "body", "status", "sufficing"), ENDPOINTS, ids=[f"{row[0]} {row[1]}" for row in ENDPOINTS]
)


@pytest.fixture
def names(acme_project):
    (file,) = upload(acme_project, PROGUARD, "mapping.txt")
    bundle = upload_bundle(acme_project, bundle_of(APP))
    release_file = upload_file(acme_project, "1.0", "~/a.js")
    return {"file": file.pk, "bundle": bundle.pk, "release_file": release_file.pk}


def call(api, method, path, body, names, prefix=P):
    return api.request(method, prefix + path.format(**names), body)


def counts():
    rows = [model.objects.count() for model in (DebugFile, ArtifactBundle, ReleaseFile, Release, Scraping)]
    return [*rows, Release.objects.filter(released_at=None).count()]


def test_without_a_token_or_with_anothers_nothing_opens(names, umbrella):
    before = counts()
    callers = (Api(), Api("f" * 64), Api(make_token(umbrella)))
    for method, path, body, *_ in ENDPOINTS:
        found = [call(api, method, path, body, names).status_code for api in callers]
        assert (found, counts()) == ([401] * 3, before), (method, path)


@each_endpoint
def test_every_scope_that_suffices_does_and_all_others_together_do_not(
    acme, names, method, path, body, status, sufficing
):
    before = counts()
    others = [scope for scope in SCOPES if scope not in sufficing]
    assert call(Api(make_token(acme, scopes=others)), method, path, body, names).status_code == 403
    assert counts() == before
    # What deletes or creates does so once.
    repeatable = method in {"GET", "PUT"}
    for scope in sorted(sufficing) if repeatable else [min(sufficing)]:
        assert call(Api(make_token(acme, scopes=[scope])), method, path, body, names).status_code == status


@each_endpoint
def test_what_is_anothers_does_not_exist(
    acme, names, umbrella, umbrella_project, method, path, body, status, sufficing
):
    """Rows of another project or organization cannot be reached by their ids."""
    before = counts()
    sibling = make_project(acme, "sibling")
    bound = Api(make_token(acme, sibling))
    assert call(bound, method, path, body, names).status_code == 404
    assert counts() == before
    if "{" not in path and "1.0" not in path:
        return
    for api, prefix in (
        (bound, "/api/0/projects/acme/sibling/"),
        (Api(make_token(umbrella)), "/api/0/projects/umbrella/native-app/"),
    ):
        reached = call(api, method, path, body, names, prefix)
        # A release's version is a name: to upload under it makes one's own.
        assert reached.status_code == (201 if method == "POST" else 404)
    assert DebugFile.objects.count() == before[0]


def test_a_project_that_does_not_exist_looks_the_same(acme, names):
    api = Api(make_token(acme))
    for method, path, body, *_ in ENDPOINTS:
        answer = call(api, method, path, body, names, "/api/0/projects/acme/nothing/")
        assert answer.status_code == 404, (method, path)
