"""What clients of the endpoints see: every method, what comes back, and how it is refused."""

from __future__ import annotations

import uuid

import pytest

from projects.models import AuditEntry, Organization, Project
from sources.models import SymbolSource
from tests.cast import Api
from tests.sources.helpers import (
    APPLE,
    BODIES,
    CASINGS,
    GCS,
    HIDDEN,
    HTTP,
    LAYOUTS,
    S3,
    echo,
    project_path,
    refused,
    without,
)

pytestmark = pytest.mark.django_db


def test_the_published_example_is_created_and_answered_with_its_password_hidden(either):
    response = either.post(HTTP)
    assert response.status_code == 201
    assert response.json() == {
        "id": "honk",
        "name": "honk source",
        "layout": {"type": "native"},
        "type": "http",
        "url": "http://honk.beep",
        "username": "honkhonk",
        "password": {"hidden-secret": True},
    }
    assert either.list() == [response.json()]


@pytest.mark.parametrize("casing", CASINGS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["http", "s3", "gcs"])
def test_every_type_layout_and_casing_comes_back_as_sent(sources, kind, layout, casing):
    body = {**BODIES[kind], "layout": {"type": layout} if casing is None else {"type": layout, "casing": casing}}
    created = sources.post(body)
    assert (created.status_code, created.json()) == (201, echo(body))
    replaced = sources.put(body["id"], body)
    assert (replaced.status_code, replaced.json()) == (200, echo(body))
    assert sources.list() == [echo(body)]


def test_a_source_without_secrets_shows_none(sources):
    body = without(HTTP, "username", "password")
    sources.add(body)
    assert sources.list() == [body]
    assert SymbolSource.objects.get().secrets is None


def test_text_comes_back_character_for_character(sources):
    body = {**HTTP, "name": "  Größe 🦆\u202e ", "url": "HTTP://Honk.Beep:80/a%20b/../?q=Ü#x", "username": ""}
    assert sources.post(body).json() == echo(body)


@pytest.mark.parametrize("region", ["eu-central-1", "mars-north-7", "minio", ["minio", "https://minio.example:9000/x"]])
def test_a_region_is_any_name_or_a_name_with_an_endpoint(sources, region):
    assert sources.post({**S3, "region": region}).json()["region"] == region


def test_app_store_connect_is_stored_with_and_without_its_key(either):
    three = without(APPLE, "appconnectKey")
    created = either.post(three)
    assert (created.status_code, created.json()) == (201, echo(three))
    assert created["Warning"] == '299 symbolsvc "source app is not configured: appconnectKey is missing"'
    assert "appconnectKey is missing" in either.get("app")["Warning"]
    full = {**APPLE, "appName": "App", "bundleId": "com.example.app", "appconnectPrivateKey": HIDDEN}
    replaced = either.put("app", full)
    assert (replaced.status_code, replaced.json()) == (200, echo(full))
    assert "Warning" not in replaced


def test_the_notice_about_a_source_is_a_valid_header_whatever_its_id(sources):
    response = sources.post({**without(APPLE, "appconnectKey"), "id": 'ü"x'})
    assert response["Warning"] == '299 symbolsvc "source %C3%BC%22x is not configured: appconnectKey is missing"'


def test_a_source_without_an_id_gets_a_uuid(either):
    response = either.post(without(HTTP, "id"))
    assert uuid.UUID(response.json()["id"]).version == 4


def test_sources_are_listed_in_the_order_they_were_added(either):
    either.add(*({**HTTP, "id": name} for name in ("z", "a", "m")))
    assert either.ids() == ["z", "a", "m"]
    assert either.delete("a").status_code == 204
    either.add({**HTTP, "id": "a"})
    assert either.ids() == ["z", "m", "a"]


def test_an_id_selects_one_source(either):
    either.add(HTTP, S3)
    assert either.get("bucket").json() == [echo(S3)]
    refused(either.get("hank"), "Unknown source id: hank", 404)
    assert len(either.get("").json()) == 2


def test_replacing_keeps_the_position_and_merges_nothing(either):
    either.add(HTTP, S3, GCS)
    changed = {**without(HTTP, "username", "password"), "name": "changed"}
    assert either.put("honk", changed).json() == changed
    assert either.list() == [changed, echo(S3), echo(GCS)]


def test_the_body_renames(either):
    either.add(HTTP, S3)
    assert either.put("honk", {**HTTP, "id": "hank"}).json()["id"] == "hank"
    assert either.ids() == ["hank", "bucket"]
    refused(either.get("honk"), "Unknown source id: honk", 404)


@pytest.mark.parametrize("body", [without(HTTP, "id"), {**HTTP, "id": None}])
def test_replacing_without_an_id_gives_a_new_one(either, body):
    either.add(HTTP)
    new = either.put("honk", body).json()["id"]
    assert uuid.UUID(new)
    assert either.ids() == [new]


def test_deleting_answers_nothing_and_is_final(either):
    either.add(HTTP)
    response = either.delete("honk")
    assert (response.status_code, response.content) == (204, b"")
    refused(either.delete("honk"), "Unknown source id: honk", 404)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("query", ["", "?id=", "?id", "?ID=honk"])
def test_a_missing_id_is_refused(either, method, query):
    either.add(HTTP)
    refused(either.api.request(method, either.path + query, HTTP), "Missing source id")


def test_an_unknown_id_is_found_before_the_body_is_looked_at(either):
    refused(either.put("hank", {"type": "nonsense"}), "Unknown source id: hank", 404)
    assert either.api.put(either.at("hank"), b"{").status_code == 404


@pytest.mark.parametrize("source_id", ["x" * 300, "a\0b", "\ud7ff\n", "%ff", "' OR 1=1 --"])
def test_strange_ids_in_the_query_are_unknown(either, source_id):
    for response in (either.get(source_id), either.put(source_id, HTTP), either.delete(source_id)):
        assert response.status_code == 404
        assert response.json()["error"].startswith("Unknown source id: ")
        assert len(response.json()["error"]) < 120


def test_bytes_that_are_no_text_in_the_query_are_unknown(either):
    assert either.api.get(f"{either.path}?id=%ff%00").status_code == 404


def test_taken_ids_are_refused(either):
    either.add(HTTP, S3)
    refused(either.post(HTTP), "Duplicate source id: honk")
    refused(either.put("bucket", {**S3, "id": "honk"}), "Duplicate source id: honk")
    assert either.list() == [echo(HTTP), echo(S3)]


def test_projects_and_their_organization_may_use_the_same_ids(sources, shared_sources):
    sources.add(HTTP)
    shared_sources.add(HTTP, S3)
    assert (sources.ids(), shared_sources.ids()) == (["honk"], ["honk", "bucket"])


def test_there_is_a_limit_to_the_number_of_sources(either):
    either.add(*({**HTTP, "id": f"n{number}"} for number in range(64)))
    refused(either.post({**HTTP, "id": "n64"}), "at most 64 symbol sources can be kept here")
    assert either.put("n3", {**HTTP, "id": "renamed"}).status_code == 200


def test_ids_of_organization_and_project_address_as_slugs_do(api, sources, acme, acme_project):
    sources.add(HTTP)
    assert api.get(project_path(acme.pk, acme_project.pk)).json() == sources.list()


def test_other_methods_are_not_allowed(either):
    response = either.api.request("PATCH", either.path, HTTP)
    assert response.status_code == 405
    assert set(response["Allow"].split(", ")) >= {"GET", "POST", "PUT", "DELETE"}
    assert list(response.json()) == ["detail"]


def test_preflight_requests_need_no_token_and_allow_no_credentials(either):
    response = Api().request("OPTIONS", either.path, None, origin="https://ui.example")
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == "https://ui.example"
    assert "Authorization" in response["Access-Control-Allow-Headers"]
    assert "PUT" in response["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in response
    assert "Origin" in response["Vary"]


def test_every_answer_carries_the_headers_for_other_origins(either):
    for response in (
        either.api.request("GET", either.path, None, origin="https://ui.example"),
        either.api.request("POST", either.path, [], origin="https://ui.example"),
        Api().request("GET", either.path, None, origin="https://ui.example"),
    ):
        assert response["Access-Control-Allow-Origin"] == "https://ui.example"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "x/y;q=0", "*/*"])
def test_answers_are_json_whatever_is_accepted(either, accept):
    response = either.api.get(either.path, accept=accept)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


def test_every_write_is_counted_and_leaves_an_entry(api, sources, shared_sources, acme, acme_project):
    sources.add(HTTP)
    sources.put("honk", {**HTTP, "id": "hank"})
    sources.delete("hank")
    shared_sources.add(S3)
    assert Project.objects.get().sources_revision == 3
    assert Organization.objects.get().sources_revision == 1
    entries = AuditEntry.objects.filter(action__startswith="source.").order_by("id")
    assert [(entry.action, entry.target, entry.project_id) for entry in entries] == [
        ("source.created", "honk", acme_project.pk),
        ("source.changed", "hank", acme_project.pk),
        ("source.deleted", "hank", acme_project.pk),
        ("source.created", "bucket", None),
    ]
    assert entries[0].data == echo(HTTP)
    assert entries[0].token_prefix == api.token[:8]


def test_what_is_refused_is_not_counted(sources):
    sources.add(HTTP)
    sources.post(HTTP)
    sources.put("honk", {**HTTP, "url": "x"})
    sources.delete("hank")
    assert Project.objects.get().sources_revision == 1
    assert SymbolSource.objects.get().revision == 1


def test_what_is_stored_is_shown_even_if_this_version_does_not_know_it(sources, acme, acme_project):
    sources.add(HTTP)
    SymbolSource.objects.create(
        organization=acme,
        project=acme_project,
        source_id="future",
        type="azure",
        name="Azure",
        position=7,
        config={"container": "x", "secret_key": "leaked", "deep": {"password": "leaked"}, "id": "other"},
    )
    assert sources.list()[1] == {
        "id": "future",
        "type": "azure",
        "name": "Azure",
        "container": "x",
        "secret_key": HIDDEN,
        "deep": {"password": HIDDEN},
    }
    assert sources.put("future", {**HTTP, "id": "future"}).status_code == 200
    assert sources.delete("future").status_code == 204


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({}, "no secret is stored that could be kept"),
        ([], "no secret is stored that could be kept"),
        ("x", "no secret is stored that could be kept"),
        (5, "no secret is stored that could be kept"),
        ({"password": HIDDEN}, "must be sent again, since it would be sent to another place"),
        ({"password": HIDDEN, "url": 5}, "must be sent again, since it would be sent to another place"),
        ({"password": HIDDEN, "url": "http://[/"}, "must be sent again, since it would be sent to another place"),
        ({"password": HIDDEN, "url": "x"}, "must be sent again, since it would be sent to another place"),
    ],
)
def test_a_damaged_row_spoils_neither_the_list_nor_other_writes(sources, config, problem):
    sources.add(HTTP, S3)
    SymbolSource.objects.filter(source_id="honk").update(config=config)
    assert sources.ids() == ["honk", "bucket"]
    assert sources.put("bucket", S3).status_code == 200
    refused(sources.put("honk", {**HTTP, "password": HIDDEN}), f"password: {problem}")
    assert sources.put("honk", HTTP).json() == echo(HTTP)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_missing_slash_is_404_and_no_redirect(either, method):
    either.add(HTTP)
    response = either.api.request(method, f"{either.path.rstrip('/')}?id=honk", HTTP)
    assert response.status_code == 404
    assert either.list() == [echo(HTTP)]
