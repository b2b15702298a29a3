"""WSGI requests handed to an application itself, past the framework's client for tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

ID = "given-request-id"


@pytest.fixture
def connection_stays_open() -> Iterator[None]:
    """As the framework's client for tests does: the test's own transaction ends with the connection."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def environ(path: str, body: bytes = b"", content_type: str = "", **more: Any) -> dict[str, Any]:
    """A request as a web server hands it on."""
    address, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": address,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "symbols.example.com",
        "HTTP_X_REQUEST_ID": ID,
        "wsgi.input": BytesIO(body),
        "wsgi.url_scheme": "http",
        **more,
    }


def answer(application: Any, given: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    """Status, headers, and body without the ids that are new each time."""
    told: list[Any] = []
    response = application(given, lambda *started: told.extend(started))
    body = b"".join(response)
    if hasattr(response, "close"):
        response.close()
    ids = rb'(?<="_rxid":")[^"]+|(?<="id":")[0-9a-f]{32}|\A[0-9a-f-]{36}\Z'
    return told[0], dict(told[1]), re.sub(ids, b"ID", body)
