"""A project's scripts and source maps as a provider of the engine, and what is said where they nearly fit."""

from __future__ import annotations

import io

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from debugfiles.models import Release
from debugfiles.providers import artifacts as module
from debugfiles.providers import project_artifacts
from engine.javascript.artifacts import Kind, ListedBundle, ListedFile, Query
from engine.modules import DebugId
from engine.outgoing import Deadline, PassingFailure
from tests.cast import make_project
from tests.debugfiles.uploading import APP, DEBUG_ID, access_to, bundle_of, upload_bundle, upload_file

pytestmark = pytest.mark.django_db

NEVER = Deadline.never()
OTHER_ID = "99999999-2222-4333-8444-555555555555"


def query(release=None, dist=None, debug_ids=(), urls=(), kind=None):
    return Query(release, dist, (), tuple(debug_ids), tuple(urls), kind)


def lookup(project, **asked):
    return project_artifacts(access_to(project)).lookup(query(**asked), NEVER)


def misses(project, **asked):
    return [(miss.kind, miss.text) for miss in project_artifacts(access_to(project)).near_misses(query(**asked))]


def fetched(project, listed):
    target = io.BytesIO()
    project_artifacts(access_to(project)).fetch(listed, target, NEVER)
    return target.getvalue()


@pytest.mark.parametrize("debug_id", [DEBUG_ID, DebugId.parse(DEBUG_ID), DEBUG_ID.upper(), DEBUG_ID.replace("-", "")])
def test_a_bundle_is_found_by_a_debug_id_in_every_form(acme_project, debug_id):
    content = bundle_of(APP)
    row = upload_bundle(acme_project, content)

    (found,) = lookup(acme_project, debug_ids=["nonsense", debug_id])

    assert found == ListedBundle(f"artifact_bundle/{row.pk:012}", "", "debug-id")
    assert fetched(acme_project, found) == content


def test_a_bundle_is_found_by_release_dist_and_url(acme_project):
    row = upload_bundle(acme_project, bundle_of(APP), "1.0", "7")

    urls = ["https://example.com/app.min.js", "~/app.min.js"]
    (found,) = lookup(acme_project, release="1.0", dist="7", urls=urls)
    assert found == ListedBundle(f"artifact_bundle/{row.pk:012}", "", "release")
    for asked in (
        {"release": "1.0", "urls": urls},
        {"release": "1.0", "dist": "8", "urls": urls},
        {"release": "1.1", "dist": "7", "urls": urls},
        {"dist": "7", "urls": urls},
        {"release": "1.0", "dist": "7", "urls": ["~/other.js"]},
    ):
        assert lookup(acme_project, **asked) == []


def test_no_dist_and_an_empty_one_are_the_same(acme_project):
    upload_bundle(acme_project, bundle_of(APP), "1.0")
    for dist in (None, ""):
        assert len(lookup(acme_project, release="1.0", dist=dist, urls=["~/app.min.js"])) == 1


def test_a_single_file_comes_with_its_headers(acme_project):
    row = upload_file(acme_project, "1.0", "~/app.js", b"app()", headers={"Sourcemap": "app.js.map"})

    (found,) = lookup(acme_project, release="1.0", urls=["~/app.js"])

    assert found == ListedFile(f"release_file/{row.pk:012}", "", "~/app.js", {"sourcemap": "app.js.map"}, "release-old")
    assert fetched(acme_project, found) == b"app()"


def test_everything_is_asked_in_one_query_and_each_bundle_listed_once(acme_project):
    upload_bundle(acme_project, bundle_of(APP), "1.0")
    upload_file(acme_project, "1.0", "~/app.min.js")
    artifacts = project_artifacts(access_to(acme_project))
    with CaptureQueriesContext(connection) as queries:
        found = artifacts.lookup(query(release="1.0", debug_ids=[DEBUG_ID], urls=["~/app.min.js"]), NEVER)
    assert len(queries) == 1
    assert [(item.id.partition("/")[0], item.resolved_with) for item in found] == [
        ("artifact_bundle", "debug-id"),
        ("release_file", "release-old"),
    ]


def test_the_newest_bundle_has_the_greatest_id_as_a_text(acme_project):
    rows = [upload_bundle(acme_project, bundle_of(APP, build=str(n)), "1.0").pk for n in range(11)]
    found = lookup(acme_project, release="1.0", urls=["~/app.min.js"])
    assert max(item.id for item in found) == f"artifact_bundle/{max(rows):012}"
    assert [int(item.id.partition("/")[2]) for item in found] == sorted(rows, reverse=True)


def test_nobody_else_is_told_or_given_anything(acme_project, umbrella_project, acme):
    sibling = make_project(acme, "sibling")
    upload_bundle(acme_project, bundle_of(APP), "1.0")
    upload_file(acme_project, "1.0", "~/app.min.js")
    asked = {"release": "1.0", "debug_ids": [DEBUG_ID], "urls": ["~/app.min.js"]}
    own = lookup(acme_project, **asked)
    assert len(own) == 2
    for project in (sibling, umbrella_project):
        assert lookup(project, **asked) == []
        assert misses(project, kind=Kind.SOURCE_MAP, **asked) == [
            ("unknown_release", "Nothing was uploaded for release `1.0`.")
        ]
        for listed in own:
            with pytest.raises(PassingFailure):
                fetched(project, listed)


def test_a_bundle_for_two_projects_is_found_from_both(acme_project, acme):
    sibling = make_project(acme, "sibling")
    upload_bundle(acme_project, bundle_of(APP), projects=[sibling])
    assert lookup(acme_project, debug_ids=[DEBUG_ID]) == lookup(sibling, debug_ids=[DEBUG_ID]) != []


def test_a_database_that_does_not_answer_is_nothing_new(acme_project, monkeypatch):
    def fail(*_):
        raise DatabaseError("down")

    monkeypatch.setattr(module, "_rows", fail)
    assert lookup(acme_project, debug_ids=[DEBUG_ID]) == []


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        ({"debug_ids": [OTHER_ID], "kind": Kind.SOURCE_MAP}, None, ""),
        (
            {"debug_ids": ["22222222-2222-4333-8444-555555555555"], "kind": Kind.SOURCE_MAP},
            "wrong_type",
            "but as a minified script (`~/lib.js`), not as a source map",
        ),
        ({"release": "2.0", "urls": ["~/app.min.js"]}, "other_release", "uploaded for release `1.0`, the crash is of"),
        ({"urls": ["~/app.min.js"]}, "no_release", "The crash names no release"),
        (
            {"release": "1.0", "urls": ["~/app.min.js"]},
            "other_dist",
            "uploaded with dist `None`, the crash is without a",
        ),
        ({"release": "1.0", "dist": "None", "urls": ["~/js/app.min.js"]}, "other_url", "The URL prefix of the upload"),
        ({"release": "1.0", "dist": "None", "urls": ["~/new.js"]}, "no_content", "none of them holds `~/new.js`"),
        ({"release": "3.0", "urls": ["~/new.js"]}, "unknown_release", "Nothing was uploaded for release `3.0`"),
    ],
)
def test_what_nearly_fits_is_said_in_a_sentence(acme_project, asked, kind, words):
    lib = {"lib.js": ("minified_source", "~/lib.js", {"debug-id": "22222222-2222-4333-8444-555555555555"}, b"")}
    upload_bundle(acme_project, bundle_of({**APP, **lib}), "1.0", "None")

    said = misses(acme_project, **asked)

    assert (said[0][0] if said else None) == kind
    assert words in (said[0][1] if said else "")


def test_a_name_that_means_none_is_pointed_out(acme_project):
    upload_bundle(acme_project, bundle_of(APP), "1.0", "None")
    (_, text), *_ = misses(acme_project, release="1.0", urls=["~/app.min.js"])
    assert text.endswith("`None` is taken for a name; leave it out where there is none.")


def test_text_that_no_database_stores_finds_nothing(acme_project):
    upload_bundle(acme_project, bundle_of(APP), "1.0")
    asked = {"release": "\x00\ud800", "dist": "\x00", "urls": ["~/\x00", "\ud800"], "debug_ids": ["\x00"]}
    assert lookup(acme_project, **asked) == []
    assert misses(acme_project, kind=Kind.SOURCE, **asked)
    assert Release.objects.count() == 1
