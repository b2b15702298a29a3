"""Buckets of Google Cloud Storage: an emulator on loopback, and servers whose answers the test decides."""

from __future__ import annotations

import base64
import json
import random
from urllib.parse import parse_qs

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from gcp_storage_emulator.server import create_server

from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline, google, pieces
from engine.outgoing.google import GoogleAccess, authorization, load_key
from engine.sourcetypes.base import FileType
from engine.sourcetypes.gcs import GcsSource
from tests.engine.sourcetypes.asking import (
    LIBRARY,
    PATH,
    configured,
    failure_of,
    fetch,
    free_port,
    opened,
    opening,
    refused,
    unreachable,
)
from tests.engine.webserver import LOOPBACK, reply

OBJECT = "/download/storage/v1/b/symbols/o/ab%2Fcdef"


@pytest.fixture(scope="module")
def emulator():
    server = create_server("127.0.0.1", port := free_port(), in_memory=True)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key, form=serialization.PrivateFormat.PKCS8):
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def gcs_source(storage, *, name="gcs", owner="acme", trust=LOOPBACK, tokens=google.TOKENS, **fields):
    config = configured(type="gcs", **({"bucket": "symbols"} | fields))
    return GcsSource(config, opening(name, owner=owner, trust=trust), storage=storage, tokens=tokens)


def upload(emulator, name, content):
    requests.post(f"{emulator}/storage/v1/b?project=p", json={"name": "symbols"}, timeout=5)
    url = f"{emulator}/upload/storage/v1/b/symbols/o?uploadType=media&name={name}"
    requests.post(url, data=content, timeout=5).raise_for_status()


def test_a_file_of_a_bucket_is_fetched(emulator):
    upload(emulator, PATH, b"content")
    source = gcs_source(emulator, bearer_token="t")

    assert fetch(source) == b"content"
    assert source.locate(LIBRARY, [FileType.ELF_CODE])[0][1].uri == "gs://symbols/ab/cdef"


def test_the_prefix_goes_before_the_path(emulator):
    upload(emulator, f"deep/{PATH}", b"below")
    source = gcs_source(emulator, prefix="/deep/")

    assert fetch(source) == b"below"
    assert source.locate(LIBRARY, [FileType.ELF_CODE])[0][1].uri == "gs://symbols/deep/ab/cdef"


def test_a_missing_object_is_not_found(emulator):
    upload(emulator, PATH, b"content")

    assert failure_of(gcs_source(emulator, prefix="missing")) == (FailureKind.NOT_FOUND, "")


def test_a_big_object_comes_whole(emulator, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 100_000)
    content = random.Random(4).randbytes(1_000_001)
    upload(emulator, f"big/{PATH}", content)

    assert fetch(gcs_source(emulator, prefix="big")) == content


def token_server(server, key, answer=None):
    """Give a token for a claim that the account's key has signed."""

    def act(asked, connection):
        head, body = asked.headers, asked.body.decode()
        assertion = parse_qs(body)["assertion"][0]
        unsigned, _, signature = assertion.rpartition(".")
        key.public_key().verify(_decode(signature), unsigned.encode(), PKCS1v15(), SHA256())
        claims = json.loads(_decode(unsigned.split(".")[1]))
        assert head["content-type"] == "application/x-www-form-urlencoded"
        assert claims["iss"] == "reader@project"
        assert claims["scope"].endswith("devstorage.read_only")
        assert claims["aud"] == f"{server.url}/token"
        assert claims["exp"] - claims["iat"] == 3600
        reply(body=json.dumps(answer or {"access_token": "granted", "expires_in": 3600}).encode())(asked, connection)

    server.routes["/token"] = act


def _decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def forms_of(key):
    text = pem(key)
    body = "".join(text.splitlines()[1:-1])
    return {
        "pem": text,
        "pkcs1": pem(key, serialization.PrivateFormat.TraditionalOpenSSL),
        "escaped": text.replace("\n", "\\n"),
        "one line": text.replace("\n", " "),
        "bare": body,
        "bare with breaks": "\n".join(text.splitlines()[1:-1]),
        "base64 of pem": base64.b64encode(text.encode()).decode(),
        "windows": text.replace("\n", "\r\n"),
        "padded": f"\n  {text}  ",
    }


@pytest.mark.parametrize(
    "form", ["pem", "pkcs1", "escaped", "one line", "bare", "bare with breaks", "base64 of pem", "windows", "padded"]
)
def test_a_key_is_read_in_every_form_it_is_pasted_in(key, form):
    assert load_key(forms_of(key)[form]).private_numbers() == key.private_numbers()


@pytest.mark.parametrize(
    "text", ["x", "-----BEGIN PRIVATE KEY-----", "Zm9v", "é", "-----BEGIN X-----\nZm9v\n-----END X-----"]
)
def test_what_is_no_key_is_not_configured(text):
    with pytest.raises(LookupFailure) as caught:
        load_key(text)
    assert (caught.value.kind, caught.value.details) == (FailureKind.NOT_CONFIGURED, "the private key cannot be read")


def test_a_key_of_another_kind_is_not_configured():
    with pytest.raises(LookupFailure):
        load_key(pem(ec.generate_private_key(ec.SECP256R1())))


def test_a_service_accounts_key_is_exchanged_for_a_token_once(server, key):
    token_server(server, key)
    server.routes[OBJECT] = reply(body=b"content")
    source = gcs_source(server.url, tokens=f"{server.url}/token", client_email="reader@project", private_key=pem(key))

    assert fetch(source) == b"content"
    assert fetch(source) == b"content"
    assert server.paths == ["/token", f"{OBJECT}?alt=media", f"{OBJECT}?alt=media"]
    assert server.asked[1].headers["authorization"] == "Bearer granted"
    assert "assertion" not in str(server.asked[1])


def test_a_token_is_renewed_before_it_ends(server, key):
    token_server(server, key, {"access_token": "short", "expires_in": 200})
    access = GoogleAccess("reader@project", pem(key), storage=server.url, tokens=f"{server.url}/token")

    for _ in range(2):
        assert authorization(access, LOOPBACK, Deadline.after(5)) == {"Authorization": "Bearer short"}
    assert server.paths == ["/token", "/token"]


def test_a_token_that_is_no_longer_taken_is_asked_for_anew(server, key):
    token_server(server, key)
    access = {"client_email": "reader@project", "private_key": forms_of(key)["bare"]}
    source = gcs_source(server.url, tokens=f"{server.url}/token", **access)
    server.routes[OBJECT] = reply("401 Unauthorized")

    assert failure_of(source) == refused("401 Unauthorized (the credentials are not valid)")
    failure_of(source)
    assert server.paths.count("/token") == 2


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            reply("400 Bad Request", b'{"error": "invalid_grant"}'),
            refused("400 Bad Request (the service account or its key is not accepted)"),
        ),
        (reply("500 X"), unreachable("500 X")),
        (reply(body=b"<html>"), unreachable("the token service does not answer as agreed")),
        (reply(body=b'{"access_token": "a\\r\\nX: y"}'), unreachable("the token service does not answer as agreed")),
        (
            reply("302 Found", Location="http://127.0.0.9:1/"),
            unreachable("redirected where no redirect is expected"),
        ),
    ],
)
def test_a_token_service_that_gives_none_is_named(server, key, answer, expected):
    server.routes["/token"] = answer
    access = {"client_email": "other@project", "private_key": pem(key)}

    assert failure_of(gcs_source(server.url, owner="tokens", tokens=f"{server.url}/token", **access)) == expected


def test_without_credentials_nobody_in_particular_asks(server):
    server.routes[OBJECT] = reply(body=b"public")

    assert fetch(gcs_source(server.url)) == b"public"
    assert "authorization" not in server.asked[0].headers


def test_a_missing_bucket_is_told_from_a_missing_object(server):
    server.routes[OBJECT] = reply("404 Not Found", b'{"error": {"message": "The specified bucket does not exist."}}')

    assert failure_of(gcs_source(server.url)) == refused("404 Not Found (the bucket does not exist)")


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (
            "403 Forbidden",
            " (the account may not list the bucket, so a missing file cannot be told from a refused one)",
        ),
        ("200 OK", " (the account may list the bucket but not read this file)"),
        ("500 X", ""),
    ],
)
def test_a_refusal_says_whether_it_may_mean_a_missing_file(server, status, meaning):
    server.routes[OBJECT] = reply("403 Forbidden")
    server.routes["/storage/v1/b/symbols/o"] = reply(status)
    source = gcs_source(server.url, name=status)

    assert failure_of(source) == refused(f"403 Forbidden{meaning}")
    failure_of(source)
    assert sum("maxResults=1" in path for path in server.paths) == (1 if meaning else 2)


def test_the_emulators_variable_of_the_environment_leads_nowhere(server, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    source = opened(type="gcs", bucket="symbols")

    assert source.host().name == "storage.googleapis.com"
    assert source._access.storage == "https://storage.googleapis.com"
