"""`artifact-lookup/`: answers that strict decoders take, at addresses that clients send their token to."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import RequestFactory

from debugfiles.models import ArtifactBundle
from debugfiles.sentrysource import artifacts
from debugfiles.sentrysource.lookup_api import own_address
from engine.javascript.listings import parse_answer
from tests.cast import Api, make_project, make_token
from tests.debugfiles.uploading import APP, DEBUG_ID, bundle_of, upload_bundle, upload_file

pytestmark = pytest.mark.django_db

LOOKUP = "/api/0/projects/acme/native-app/artifact-lookup/"
OTHER_ID = "99999999-2222-4333-8444-555555555555"


@pytest.fixture
def api(acme, acme_project):
    return Api(make_token(acme))


def found(api, query, path=LOOKUP):
    answer = api.get(f"{path}?{query}")
    assert answer.status_code == 200, answer.content
    return [(item.id, item.resolved_with) for item in parse_answer(answer.content)]


def with_id(debug_id, url="~/app.min.js"):
    return bundle_of({"a": ("minified_source", url, {"debug-id": debug_id}, b"x")})


def test_a_bundle_is_found_by_each_of_several_debug_ids(api, acme_project):
    first, second = upload_bundle(acme_project, bundle_of(APP)), upload_bundle(acme_project, with_id(OTHER_ID))
    by_id = [(f"artifact_bundle/{row.pk}", "debug-id") for row in (second, first)]

    assert found(api, f"debug_id={DEBUG_ID}&debug_id={OTHER_ID}") == by_id
    assert found(api, f"debug_id=nonsense&debug_id={DEBUG_ID.replace('-', '').upper()}") == by_id[1:]
    assert found(api, "debug_id=nonsense") == []
    assert found(api, "url=app") == []
    assert found(api, "") == []


def test_what_belongs_to_a_release_is_found_by_parts_of_its_urls(api, acme_project):
    bundle = upload_bundle(acme_project, bundle_of(APP), "app@1.0")
    upload_bundle(acme_project, bundle_of(APP, other=1), "app@2.0")
    file = upload_file(acme_project, "app@1.0", "~/static/50%_off.min.js", headers={"Sourcemap": "m.map"})
    release = f"release={quote('app@1.0', safe='')}"

    assert found(api, f"{release}&url=/app&url=/nothing") == [(f"artifact_bundle/{bundle.pk}", "release")]
    assert found(api, f"{release}&url={quote('/static/50%_off')}") == [(f"release_file/{file.pk}", "release-old")]
    assert found(api, f"{release}&url={quote('/static/50x_off')}") == []
    assert found(api, f"{release}&url=/app&dist=7") == []
    assert found(api, f"{release}&url=/app&debug_id={DEBUG_ID}")[-1:] == [(f"artifact_bundle/{bundle.pk}", "debug-id")]
    (item,) = parse_answer(api.get(f"{LOOKUP}?{release}&url=/static/").content)
    assert (item.abs_path, item.headers) == ("~/static/50%_off.min.js", {"sourcemap": "m.map"})


def test_a_dist_is_matched_exactly(api, acme_project):
    row = upload_bundle(acme_project, bundle_of(APP), "1.0", "7")
    assert found(api, "release=1.0&url=app&dist=7") == [(f"artifact_bundle/{row.pk}", "release")]
    assert found(api, "release=1.0&url=app") == []


def test_bundles_come_before_files_and_the_newest_first(api, acme_project):
    rows = [upload_bundle(acme_project, bundle_of(APP, build=n), "1.0").pk for n in range(3)]
    file = upload_file(acme_project, "1.0", "~/app.min.js")

    ids = [item_id for item_id, _ in found(api, "release=1.0&url=app")]

    assert ids == [*(f"artifact_bundle/{pk}" for pk in reversed(rows)), f"release_file/{file.pk}"]


def test_only_so_many_bundles_of_a_release_are_looked_through(api, acme_project, monkeypatch):
    monkeypatch.setattr(artifacts, "_MOST_BUNDLES", 2)
    rows = [upload_bundle(acme_project, bundle_of(APP, build=n), "1.0").pk for n in range(3)]
    assert [item_id for item_id, _ in found(api, "release=1.0&url=app")] == [
        f"artifact_bundle/{pk}" for pk in (rows[2], rows[1])
    ]


def test_a_lookup_counts_as_use(api, acme_project):
    row = upload_bundle(acme_project, bundle_of(APP))
    ArtifactBundle.objects.update(last_used="2026-01-01T00:00:00Z")
    found(api, f"debug_id={DEBUG_ID}")
    assert ArtifactBundle.objects.get().last_used > row.created_at.replace(year=2026, month=1, day=2)


def test_the_content_comes_from_the_address_in_the_answer(api, acme_project):
    upload_bundle(acme_project, bundle_of(APP), "1.0")
    upload_file(acme_project, "1.0", "~/app.js", b"content")

    bundle, file = parse_answer(api.get(f"{LOOKUP}?release=1.0&url=app").content)

    for item, content in ((bundle, bundle_of(APP)), (file, b"content")):
        assert item.url.startswith(f"http://testserver{LOOKUP}")
        answer = api.get(item.url.removeprefix("http://testserver"))
        assert len(b"".join(answer.streaming_content)) == len(content) == int(answer.headers["Content-Length"])


@pytest.mark.parametrize("wanted", ["x", "artifact_bundle/", "artifact_bundle/x", "a/1", "release_file/" + "9" * 40])
def test_an_id_of_nothing_is_not_found(api, wanted):
    assert api.get(f"{LOOKUP}?download={wanted}").status_code == 404


def test_nobody_elses_artifacts_are_found_or_sent(acme, api, acme_project):
    bundle, file = upload_bundle(acme_project, bundle_of(APP), "1.0"), upload_file(acme_project, "1.0", "~/app.js")
    make_project(acme, "other")
    other = LOOKUP.replace("native-app", "other")

    assert found(api, f"release=1.0&url=app&debug_id={DEBUG_ID}", other) == []
    for wanted in (f"artifact_bundle/{bundle.pk}", f"release_file/{file.pk}"):
        assert api.get(f"{other}?download={wanted}").status_code == 404


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("/a/?release=1&url=x", "http://h.test:8000/a/?"),
        ("/%61cme/?_x=1&y&release=1", "http://h.test:8000/%61cme/?_x=1&y&"),
        ("/a/", "http://h.test:8000/a/?"),
        ("/a/?debug_id=1&_x=1", "http://h.test:8000/a/?"),
    ],
)
def test_an_address_begins_character_for_character_as_it_was_asked(raw, expected):
    request = RequestFactory().get("/a/", RAW_URI=raw, HTTP_HOST="h.test:8000")
    assert own_address(request) == expected


def test_behind_a_proxy_the_scheme_is_the_clients():
    request = RequestFactory().get("/a/", HTTP_HOST="h.test", HTTP_X_FORWARDED_PROTO="https")
    assert own_address(request) == "https://h.test/a/?"
