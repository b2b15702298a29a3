"""Bodies that are no JSON objects: refused, each in its way, and never an error of ours."""

from __future__ import annotations

import json

import pytest

from tests.sources.helpers import HTTP, refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "a/b"]
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_bodies_that_are_not_json_are_415(either, method, content_type):
    either.add(HTTP)
    response = either.api.request(method, either.at("honk"), b"type=http", content_type=content_type)
    assert response.status_code == 415
    assert list(response.json()) == ["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b'{"id": "a", "id": "b"}',
        b'{"name": NaN}',
        b'{"name": -Infinity}',
        b'{"name": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'\xef\xbb\xbf{"type": "http"}',
        b'{"name": "\x01"}',
        b'{"name": "\\x"}',
    ],
    ids=lambda body: repr(body[:20]),
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_malformed_json_is_refused(either, method, body):
    either.add(HTTP)
    response = either.api.request(method, either.at("honk"), body)
    assert response.status_code == 400
    assert list(response.json()) == ["detail"]
    assert response.json()["detail"].startswith("JSON parse error - ")


@pytest.mark.parametrize("body", [[], "x", 5, None, True, 1.5, [HTTP]])
def test_json_that_is_no_object_is_refused(either, body):
    either.add(HTTP)
    data = b"null" if body is None else body
    refused(either.post(data if isinstance(data, bytes) else _json(body)), "the body must be a JSON object")
    refused(either.put("honk", data if isinstance(data, bytes) else _json(body)), "the body must be a JSON object")


def test_an_empty_body_lacks_its_type(either):
    refused(either.api.post(either.path), "type: this field is required")


def _json(value: object) -> str:
    return json.dumps(value)
