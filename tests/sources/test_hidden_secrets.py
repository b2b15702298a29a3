"""`{"hidden-secret": true}`: keeps a stored secret, and never lets it go to another place."""

from __future__ import annotations

import pytest

from sources.models import SymbolSource
from sources.secrets import reveal_secrets
from tests.sources.helpers import APPLE, BODIES, GCS, HIDDEN, HTTP, S3, SECRETS, echo, refused, without

pytestmark = pytest.mark.django_db


def stored(source_id: str) -> dict[str, str]:
    return reveal_secrets(SymbolSource.objects.get(source_id=source_id))


@pytest.mark.parametrize("kind", BODIES)
def test_a_hidden_secret_is_kept(either, kind):
    body, secret = BODIES[kind], SECRETS[kind]
    either.add(body)
    response = either.put(body["id"], {**body, "name": "changed", secret: HIDDEN})
    assert (response.status_code, response.json()) == (200, {**echo(body), "name": "changed"})
    assert stored(body["id"]) == {secret: body[secret]}


@pytest.mark.parametrize("kind", BODIES)
def test_a_new_source_cannot_keep_anything(either, kind):
    secret = SECRETS[kind]
    either.add(BODIES[kind])
    refused(
        either.post({**BODIES[kind], "id": "another", secret: HIDDEN}),
        f"{secret}: hidden-secret keeps the secret of a source that is replaced; a new one needs its own",
    )


def test_a_secret_sent_in_clear_replaces_the_stored_one(either):
    either.add(HTTP)
    either.put("honk", {**HTTP, "password": "another"})
    assert stored("honk") == {"password": "another"}


def test_a_secret_that_is_left_out_is_gone(either):
    either.add(HTTP)
    for body in (without(HTTP, "password"), {**HTTP, "password": None}):
        assert either.put("honk", body).json() == without(HTTP, "password")
        assert stored("honk") == {}
        refused(either.put("honk", {**HTTP, "password": HIDDEN}), "password: no secret is stored that could be kept")


def test_it_is_kept_from_the_replaced_source_also_when_renamed(either):
    either.add(HTTP, {**HTTP, "id": "other", "password": "of-the-other"})
    assert either.put("honk", {**HTTP, "id": "renamed", "password": HIDDEN}).status_code == 200
    assert stored("renamed") == {"password": "beepbeep"}
    new = either.put("renamed", {**without(HTTP, "id"), "password": HIDDEN}).json()["id"]
    assert stored(new) == {"password": "beepbeep"}


def test_the_source_that_the_body_names_lends_nothing(either):
    either.add(without(HTTP, "password"), {**HTTP, "id": "other"})
    refused(
        either.put("honk", {**HTTP, "id": "honk", "password": HIDDEN}),
        "password: no secret is stored that could be kept",
    )
    refused(
        either.put("honk", {**HTTP, "id": "other", "password": HIDDEN}),
        "password: no secret is stored that could be kept",
    )


@pytest.mark.parametrize(
    "url", ["https://honk.beep", "http://evil.example", "http://honk.beep:8080", "http://honk.beep.evil.example/"]
)
def test_a_password_does_not_follow_to_another_origin(either, url):
    either.add(HTTP)
    text = "password: must be sent again, since it would be sent to another place"
    refused(either.put("honk", {**HTTP, "url": url, "password": HIDDEN}), text)
    assert stored("honk") == {"password": "beepbeep"}
    assert either.put("honk", {**HTTP, "url": url, "password": "beepbeep"}).status_code == 200


@pytest.mark.parametrize("url", ["http://HONK.beep:80/other?x=y", "HTTP://honk.beep./", "http://honk.beep"])
def test_a_password_stays_for_another_path_of_the_same_origin(either, url):
    either.add(HTTP)
    assert either.put("honk", {**HTTP, "url": url, "username": "new", "password": HIDDEN}).status_code == 200


ENDPOINT = ["minio", "https://minio.example"]


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (S3, {"bucket": "other"}),
        (S3, {"region": "eu-west-1"}),
        (S3, {"region": ["us-east-1", "https://evil.example"]}),
        ({**S3, "region": ENDPOINT}, {"region": ["minio", "https://evil.example"]}),
        ({**S3, "region": ENDPOINT}, {"region": ["minio", "http://minio.example"]}),
        ({**S3, "region": ENDPOINT}, {"region": "minio"}),
        (S3, {"access_key": "other"}),
        (GCS, {"bucket": "other"}),
        (GCS, {"client_email": "other@example.com"}),
        (APPLE, {"appconnectIssuer": "other"}),
    ],
)
def test_a_key_does_not_follow_to_another_place(either, body, change):
    either.add(body)
    secret = SECRETS[body["type"]]
    refused(
        either.put(body["id"], {**body, **change, secret: HIDDEN}),
        f"{secret}: must be sent again, since it would be sent to another place",
    )
    assert stored(body["id"]) == {secret: body[secret]}
    assert either.put(body["id"], {**body, **change}).status_code == 200


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (S3, {"prefix": "other/"}),
        ({**S3, "region": ENDPOINT}, {"region": ["minio", "https://MINIO.example:443/"]}),
        (GCS, {"prefix": "other/", "layout": {"type": "ssqp"}}),
        (APPLE, {"appconnectKey": "ABC", "appId": "5"}),
    ],
)
def test_a_key_stays_when_only_other_things_change(either, body, change):
    either.add(body)
    assert either.put(body["id"], {**body, **change, SECRETS[body["type"]]: HIDDEN}).status_code == 200


def test_a_secret_does_not_follow_to_another_type(either):
    either.add(HTTP)
    refused(
        either.put("honk", {**S3, "id": "honk", "secret_key": HIDDEN}),
        "secret_key: must be sent again, since the type changes",
    )


def test_a_source_can_be_read_and_written_back(either):
    for body in BODIES.values():
        either.add(body)
    for source in either.list():
        assert either.put(source["id"], source).json() == source
    assert {kind: stored(body["id"]) for kind, body in BODIES.items()} == {
        kind: {SECRETS[kind]: body[SECRETS[kind]]} for kind, body in BODIES.items()
    }
