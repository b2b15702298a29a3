"""What a lookup for a project asks, and in which order."""

from __future__ import annotations

import base64
import logging
from types import SimpleNamespace

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.sourcetypes.base import FileType
from engine.sourcetypes.config import Casing, GcsConfig, HttpConfig, LayoutType, S3Config
from projects.models import Project
from sources import composition
from sources.builtin import CATALOGUE
from sources.composition import compose
from sources.models import SymbolSource
from tests.cast import Api, make_project, make_token
from tests.sources.helpers import APPLE, GCS, HTTP, LAYOUTS, S3, Endpoint, organization_path, project_path, without

pytestmark = pytest.mark.django_db


@pytest.fixture
def composed(acme, acme_project):
    """Composes the project's sources as a request would: from rows that were just read."""

    def run() -> composition.Composition:
        acme.refresh_from_db()
        acme_project.refresh_from_db()
        return compose(SimpleNamespace(organization=acme, project=acme_project))

    return run


def ids(result: composition.Composition) -> list[str]:
    return [source.id for source in result.sources]


def only(result: composition.Composition):
    (source,) = result.sources
    return source.config


def test_a_new_project_has_no_sources(composed):
    assert composed() == composition.Composition((), ())


def test_the_project_comes_first_then_its_organization_then_the_catalogue(composed, api, sources, shared_sources, acme):
    shared_sources.add({**HTTP, "id": "shared-2"}, {**HTTP, "id": "shared-1"})
    sources.add({**HTTP, "id": "own-2"}, {**HTTP, "id": "own-1"})
    api.put("/api/0/projects/acme/native-app/", {"builtinSymbolSources": ["ubuntu", "microsoft"]})
    result = composed()
    assert ids(result) == ["own-2", "own-1", "shared-2", "shared-1", "sentry:microsoft", "sentry:ubuntu"]
    assert [source.owner for source in result.sources] == [f"organization:{acme.pk}"] * 4 + ["builtin"] * 2
    assert [source.config.is_public for source in result.sources] == [False] * 4 + [True] * 2
    assert result.sources[-1].name == "Ubuntu"


def test_an_id_is_asked_once_and_the_project_wins(composed, sources, shared_sources):
    shared_sources.add({**HTTP, "url": "http://shared.example"}, S3)
    sources.add(HTTP)
    result = composed()
    assert ids(result) == ["honk", "bucket"]
    assert result.sources[0].config.url == "http://honk.beep"


def test_other_projects_and_organizations_are_not_mixed_in(composed, acme, umbrella_project, umbrella):
    make_project(acme, "other")
    Endpoint(Api(make_token(acme)), project_path(project="other")).add(HTTP)
    stranger = Api(make_token(umbrella))
    Endpoint(stranger, organization_path("umbrella")).add(S3)
    Endpoint(stranger, project_path("umbrella")).add(GCS)
    assert composed().sources == ()


@pytest.mark.parametrize(
    ("fields", "credentials"),
    [
        ({"username": "honkhonk", "password": "beepbeep"}, "honkhonk:beepbeep"),
        ({"username": "honkhonk"}, "honkhonk:"),
        ({"password": "beepbeep"}, ":beepbeep"),
        ({"username": "Größe", "password": "a:b"}, "Größe:a:b"),
        ({"username": "", "password": ""}, ":"),
    ],
)
def test_user_name_and_password_become_a_basic_header(composed, sources, fields, credentials):
    sources.add({**without(HTTP, "username", "password"), **fields})
    expected = "Basic " + base64.b64encode(credentials.encode()).decode()
    assert only(composed()).headers == {"authorization": expected}


def test_without_either_there_is_no_header(composed, sources):
    sources.add(without(HTTP, "username", "password"))
    assert only(composed()).headers == {}


@pytest.mark.parametrize(
    ("fields", "filetypes"),
    [
        ({}, ()),
        ({"filetypes": ["pe", "breakpad"]}, ("pe", "breakpad")),
        ({"filters": {"filetypes": ["wasm_debug"]}}, ("wasm_debug",)),
        ({"filters": {}}, ()),
    ],
)
def test_file_types_are_filtered_wherever_they_were_given(composed, sources, fields, filetypes):
    sources.add({**HTTP, **fields})
    assert only(composed()).filters.filetypes == tuple(FileType(name) for name in filetypes)


def test_all_filters_arrive(composed, sources):
    sources.add({**HTTP, "filters": {"filetypes": ["pe"], "path_patterns": ["*/x"], "requires_checksum": True}})
    filters = only(composed()).filters
    assert (filters.filetypes, filters.path_patterns, filters.requires_checksum) == ((FileType.PE,), ("*/x",), True)


@pytest.mark.parametrize("casing", ["default", "uppercase", "lowercase"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("body", [HTTP, S3, GCS], ids=lambda body: body["type"])
def test_every_stored_source_is_one_that_the_engine_takes(composed, sources, body, layout, casing):
    sources.add({**body, "layout": {"type": layout, "casing": casing}})
    config = only(composed())
    assert (config.id, config.layout.type, config.layout.casing) == (body["id"], LayoutType(layout), Casing(casing))


def test_bucket_sources_come_with_their_keys(composed, sources):
    sources.add(S3, {**S3, "id": "minio", "region": ["eu", "http://minio.example"]}, GCS)
    s3, minio, gcs = (source.config for source in composed().sources)
    assert isinstance(s3, S3Config)
    assert (s3.bucket, s3.prefix, s3.region, s3.access_key, s3.secret_key) == (
        "symbols",
        "windows/",
        "us-east-1",
        "AKIA1",
        "wJalr",
    )
    assert minio.region == ("eu", "http://minio.example")
    assert isinstance(gcs, GcsConfig)
    assert (gcs.bucket, gcs.client_email, gcs.private_key) == ("symbols", GCS["client_email"], GCS["private_key"])


def test_what_is_only_imported_is_skipped_with_words(composed, sources):
    sources.add(APPLE, {**without(APPLE, "appconnectKey"), "id": "unfinished"}, HTTP)
    result = composed()
    assert ids(result) == ["honk"]
    assert [(skipped.id, skipped.reason) for skipped in result.skipped] == [
        ("app", "files are imported from it, it is not looked up"),
        (
            "unfinished",
            "files are imported from it, it is not looked up; it is not configured: appconnectKey is missing",
        ),
    ]


DAMAGES = {
    "not an object": {"config": []},
    "empty": {"config": {}},
    "another layout": {"config": {"url": "http://x", "layout": {"type": "nonsense"}}},
    "no layout": {"config": {"url": "http://x", "layout": None}},
    "another url": {"config": {"url": 5, "layout": {"type": "native"}}},
    "no web address": {"config": {"url": "file:///etc/passwd", "layout": {"type": "native"}}},
    "another pattern": {
        "config": {"url": "http://x", "layout": {"type": "native"}, "filters": {"path_patterns": ["a**"]}}
    },
    "another type": {"type": "azure"},
    "an unknown key": {"secrets_key": "0123456789abcdef"},
    "a changed ciphertext": {"secrets": b"nonsense"},
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_bad_row_is_skipped_alone_and_visibly(composed, sources, damage, caplog):
    caplog.set_level(logging.INFO)
    sources.add({**HTTP, "id": "first"}, {**HTTP, "id": "bad"}, {**HTTP, "id": "last"})
    SymbolSource.objects.filter(source_id="bad").update(**damage)
    result = composed()
    assert ids(result) == ["first", "last"]
    (skipped,) = result.skipped
    assert (skipped.id, skipped.name) == ("bad", "honk source")
    assert skipped.reason
    assert f"'bad' of organization {Project.objects.get().organization_id} is skipped: {skipped.reason}" in caplog.text


def test_secrets_of_a_dropped_key_skip_their_source_only(composed, sources, settings):
    sources.add({**HTTP, "id": "old"})
    settings.SECRET_KEYS = (Fernet.generate_key().decode(),)
    sources.add({**HTTP, "id": "new"})
    result = composed()
    assert ids(result) == ["new"]
    assert "is not among SECRET_KEYS" in result.skipped[0].reason


def test_one_query_composes_and_none_the_second_time(acme, acme_project, sources, shared_sources):
    sources.add(HTTP)
    shared_sources.add(S3)
    acme.refresh_from_db()
    acme_project.refresh_from_db()
    opened = SimpleNamespace(organization=acme, project=acme_project)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        first = compose(opened)
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        assert compose(opened) is first
    assert len(queries) == 0


def test_every_change_is_seen_at_once(composed, api, sources, shared_sources):
    sources.add(HTTP)
    assert only(composed()).url == "http://honk.beep"
    sources.put("honk", {**HTTP, "url": "http://new.example"})
    assert only(composed()).url == "http://new.example"
    shared_sources.add(S3)
    assert ids(composed()) == ["honk", "bucket"]
    api.put("/api/0/projects/acme/native-app/", {"builtinSymbolSources": ["mozilla"]})
    assert ids(composed()) == ["honk", "bucket", "sentry:mozilla"]
    sources.delete("honk")
    shared_sources.delete("bucket")
    assert ids(composed()) == ["sentry:mozilla"]


def test_the_process_keeps_a_bounded_number(acme):
    for number in range(composition.CACHED_COMPOSITIONS + 20):
        compose(SimpleNamespace(organization=acme, project=Project(pk=10_000 + number, organization=acme)))
    assert composition._composed.cache_info().currsize == composition.CACHED_COMPOSITIONS


def test_a_key_that_left_the_catalogue_is_skipped(composed, acme_project):
    Project.objects.update(builtin_sources=["gone", "amd"])
    result = composed()
    assert ids(result) == ["sentry:amd"]
    assert [skipped.id for skipped in result.skipped] == ["gone"]


def test_the_catalogue_is_complete_and_public():
    assert list(CATALOGUE) == [
        "microsoft", "nuget", "citrix", "intel", "amd", "nvidia",
        "chromium", "unity", "mozilla", "autodesk", "electron", "ubuntu",
    ]  # fmt: skip
    for entry in CATALOGUE.values():
        config = entry.config()
        assert isinstance(config, HttpConfig)
        assert config.id == f"sentry:{entry.key}"
        assert config.is_public
        assert config.url.endswith("/")
    assert CATALOGUE["intel"].config().headers == {"User-Agent": "curl/7.72.0"}
    assert CATALOGUE["intel"].config().has_index
    assert CATALOGUE["nuget"].config().filters.requires_checksum
    assert CATALOGUE["electron"].config().filters.path_patterns[0] == "*electron*"
