"""Artifact bundles from chunks: for projects, with and without release and dist."""

from __future__ import annotations

import json

import pytest

from debugfiles.models import ArtifactBundle, Dist, Release
from projects.models import AuditEntry
from tests.cast import Api, make_project, make_token
from tests.debugfiles.protocol.sending import BUNDLES, cut, send_chunks, sha1, wanted_bundle
from tests.debugfiles.uploading import APP, bundle_of

pytestmark = pytest.mark.django_db

BUNDLE = bundle_of(APP)
OK = {"state": "ok", "missingChunks": [], "detail": None}


@pytest.fixture
def api(acme, acme_project):
    return Api(make_token(acme))


def send(api, content=BUNDLE, **more):
    body = wanted_bundle(content, **more)
    assert api.post(BUNDLES, body).json()["state"] == "not_found"
    send_chunks(api, *cut(content))
    return api.post(BUNDLES, body).json()


def test_missing_chunks_come_first(api):
    body = wanted_bundle(BUNDLE)
    assert api.post(BUNDLES, body).json() == {"state": "not_found", "missingChunks": body["chunks"], "detail": None}


def test_a_bundle_without_a_release_is_found_by_its_ids(api):
    assert send(api) == OK
    bundle = ArtifactBundle.objects.get()
    assert (bundle.release, bundle.dist, bundle.file_count) == ("", "", 2)
    assert not Release.objects.exists()


def test_a_bundle_of_a_release_makes_the_release_and_its_dist(api, acme_project):
    assert send(api, version="app@1.0", dist="42") == OK
    assert ArtifactBundle.objects.get().release == "app@1.0"
    assert list(Release.objects.get(version="app@1.0").projects.all()) == [acme_project]
    assert Dist.objects.get().name == "42"


def test_the_same_bundle_for_another_release_is_another(api):
    assert send(api, version="1.0") == OK
    assert api.post(BUNDLES, wanted_bundle(BUNDLE, version="1.1")).json() == OK
    assert api.post(BUNDLES, wanted_bundle(BUNDLE, version="1.1")).json() == OK
    assert sorted(ArtifactBundle.objects.values_list("release", flat=True)) == ["1.0", "1.1"]
    assert AuditEntry.objects.filter(action="artifact_bundle.uploaded").count() == 2


def test_several_projects_by_id_and_slug(api, acme, acme_project):
    other = make_project(acme, "other")
    assert send(api, projects=["native-app", other.pk, str(acme_project.pk)]) == OK
    assert set(ArtifactBundle.objects.get().projects.all()) == {acme_project, other}


def test_another_project_is_added_to_a_bundle_that_is_there(api, acme, acme_project):
    other = make_project(acme, "other")
    assert send(api) == OK
    assert api.post(BUNDLES, wanted_bundle(BUNDLE, projects=["other"])).json() == OK
    assert set(ArtifactBundle.objects.get().projects.all()) == {acme_project, other}


def test_what_is_no_bundle_is_an_error(api):
    told = send(api, b"PK\3\4 nothing")
    assert (told["state"], "artifact bundle" in told["detail"]) == ("error", True)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"version": ""}, "version"),
        ({"version": "a/b"}, "version"),
        ({"dist": "1"}, "dist"),
        ({"dist": "1", "version": None}, "dist"),
        ({"projects": []}, "projects"),
        ({"projects": ["native-app", "absent"]}, "One or more projects are invalid"),
        ({"projects": ["../x"]}, "One or more projects are invalid"),
        ({"projects": None}, "projects"),
        ({"checksum": "x"}, "checksum"),
        ({"chunks": None}, "chunks"),
        ({"unknown": 1}, "unknown"),
    ],
    ids=repr,
)
def test_a_bad_body_is_refused_before_anything_happens(api, change, text):
    send_chunks(api, *cut(BUNDLE))
    answer = api.post(BUNDLES, {**wanted_bundle(BUNDLE), **change})
    assert (answer.status_code, set(answer.json())) == (400, {"error"})
    assert text in answer.json()["error"]
    assert not ArtifactBundle.objects.exists()
    # A dist that was refused leaves no state behind that a right request would meet.
    assert api.post(BUNDLES, wanted_bundle(BUNDLE)).json() == OK


def test_what_is_no_json_is_refused(api):
    for body in ("{", "[]", json.dumps("x")):
        assert set(api.post(BUNDLES, body).json()) == {"error"}


def test_a_token_bound_to_a_project_uploads_for_that_alone(api, acme, acme_project):
    make_project(acme, "other")
    bound = Api(make_token(acme, acme_project))
    assert bound.post(BUNDLES, wanted_bundle(BUNDLE, projects=["other"])).status_code == 400
    assert send(bound) == OK


def test_the_content_is_the_one_of_the_checksum(api):
    send_chunks(api, *cut(BUNDLE))
    body = {**wanted_bundle(BUNDLE), "checksum": sha1(b"other")}
    assert "checksum" in api.post(BUNDLES, body).json()["detail"]
