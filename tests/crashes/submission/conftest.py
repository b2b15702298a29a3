"""What tests of submissions share: a token that sends reports, and what was stored of one."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from django.http import HttpResponse
from django.test import Client

from core.blobs import blob_store
from crashes.models import Attachment, Crash
from tests.cast import make_token
from tests.core.multipart import encoded

DUMP = b"MDMP\x93\xa7\x00\x00" + bytes(range(256)) * 4
FORM = "multipart/form-data; boundary=b0undary"


@dataclass(frozen=True)
class Reporter:
    """Sends to one project with one token."""

    token: str

    def send(self, format_: str, content: bytes | dict = b"", content_type: str = "", query: str = "", **headers):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        client = Client(raise_request_exception=False)
        return client.generic("POST", f"/acme/{self.token}/{format_}?{query}", data, content_type, headers=headers)

    def form(self, format_: str, parts: list[tuple[str, bytes]], query: str = "", **headers) -> HttpResponse:
        return self.send(format_, encoded(parts), FORM, query, **headers)


@pytest.fixture
def reporter(acme_project) -> Reporter:
    return Reporter(make_token(acme_project.organization, acme_project, ["error:post"]))


def head(name: str, filename: str | None = None, content_type: str | None = None) -> str:
    """The headers of a part."""
    named = f'Content-Disposition: form-data; name="{name}"'
    return (
        named
        + ("" if filename is None else f'; filename="{filename}"')
        + ("" if content_type is None else f"\r\nContent-Type: {content_type}")
    )


def the_crash(answer: HttpResponse) -> Crash:
    """What was stored of an accepted report."""
    assert answer.status_code == 200, answer.content
    assert answer["Access-Control-Allow-Origin"] == "*"
    told = answer.json()
    assert told["response"] == "ok"
    return Crash.objects.get(rxid=told["_rxid"])


def content(of: Crash | Attachment) -> bytes:
    return b"".join(blob_store().pieces(of.blob_key))


def attachments(crash: Crash) -> list[tuple[str, str, bytes]]:
    """Name, file name and content of each."""
    return [(one.name, one.filename, content(one)) for one in crash.attachments.all()]


def refusal(answer: HttpResponse) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/json"
    assert answer["Access-Control-Allow-Origin"] == "*"
    return answer.status_code, answer.json()["error"]["message"]
