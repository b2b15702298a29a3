"""Sending as clients of Sentry do, without a server between."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from core.blobs import blob_store
from crashes.models import Attachment, Crash, ProjectKey
from crashes.sentry.keys import create_key
from projects.access import SYSTEM
from projects.models import Project

DUMP = b"MDMP" + bytes(range(256)) * 4


def line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def item(payload: bytes, type_: str = "attachment", *, sized: bool = True, **head: Any) -> bytes:
    """One item; its length is told unless `sized` is False."""
    told = {"type": type_, **({"length": len(payload)} if sized else {}), **head}
    return line(told) + payload + b"\n"


def event(**fields: Any) -> dict[str, Any]:
    return {"event_id": uuid4().hex, "platform": "python", "timestamp": 1_790_000_000.5, **fields}


def envelope(*items: bytes, **header: Any) -> bytes:
    return line(header) + b"".join(items)


def of_event(told: dict[str, Any], *more: bytes) -> bytes:
    """An envelope with an event."""
    return envelope(item(json.dumps(told).encode(), "event"), *more, event_id=told["event_id"])


class Sender:
    """Posts to the addresses of one key."""

    def __init__(self, key: ProjectKey) -> None:
        self.key = key

    def post(self, place: str, body: bytes, content_type: str = "text/plain", **headers: str) -> HttpResponse:
        """Named by the query, as browsers do it."""
        return self.bare(f"{place}?sentry_key={self.key.public}&sentry_version=7", body, content_type, **headers)

    def bare(self, place: str, body: bytes, content_type: str = "text/plain", **headers: str) -> HttpResponse:
        client = Client(raise_request_exception=False)
        return client.generic("POST", f"/api/{self.key.project_id}/{place}", body, content_type, headers=headers)

    def envelope(self, *items: bytes, **header: Any) -> HttpResponse:
        return self.post("envelope/", envelope(*items, **header))


def sender_of(project: Project) -> Sender:
    return Sender(create_key(project=project, actor=SYSTEM))


@pytest.fixture
def sender(acme_project: Project) -> Sender:
    return sender_of(acme_project)


def content(stored: Crash | Attachment) -> bytes:
    return b"".join(blob_store().pieces(stored.blob_key))


def refusal(answer: HttpResponse) -> tuple[int, str]:
    """Status and reason, of an answer that any client and any browser can read."""
    assert answer["Content-Type"] == "application/json"
    assert answer["Access-Control-Allow-Origin"] == "*"
    told = answer.json()
    assert list(told) == ["detail"]
    assert "\n" not in answer["X-Sentry-Error"]
    return answer.status_code, told["detail"]
