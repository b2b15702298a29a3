"""Talking to the service from outside, by plain HTTP."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


def call(url: str, method: str = "GET", body: Any = None, token: str | None = None, timeout: float = 60) -> Answer:
    """One request on a connection of its own. `body`: bytes as they are, else as JSON."""
    parts = urlsplit(url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    data = body if isinstance(body, bytes) or body is None else json.dumps(body)
    began = time.monotonic()
    try:
        connection.request(method, url.removeprefix(f"{parts.scheme}://{parts.netloc}"), data, headers)
        response = connection.getresponse()
        read = response.read()
        return Answer(response.status, dict(response.getheaders()), read, time.monotonic() - began)
    finally:
        connection.close()


@dataclass(frozen=True)
class Tenant:
    """An organization with a project on a running service, and a token that may do what is needed."""

    url: str
    organization: str
    project: str
    token: str

    @property
    def project_url(self) -> str:
        return f"{self.url}/api/0/projects/{self.organization}/{self.project}"

    @property
    def symbolicate_url(self) -> str:
        return f"{self.project_url}/symbolicate/"

    @property
    def sources_url(self) -> str:
        return f"{self.project_url}/symbol-sources/"

    def post(self, url: str, body: Any, **options: Any) -> Answer:
        return call(url, "POST", body, token=self.token, **options)

    def symbolicate(self, body: Any, query: str = "", **options: Any) -> Answer:
        return self.post(f"{self.symbolicate_url}{query}", body, **options)

    def get(self, url: str, **options: Any) -> Answer:
        return call(url, token=self.token, **options)


SCOPES = ("project:read", "project:write", "project:admin", "symbolicate:post")


def new_tenant(service: Any) -> Tenant:
    """A fresh organization and project on a running service."""
    made = service.bootstrap()
    organization, project = slug_of(made["organization"]), slug_of(made["project"])
    return Tenant(service.url.rstrip("/"), organization, project, service.token(organization, scopes=SCOPES))


def slug_of(value: Any) -> str:
    return value["slug"] if isinstance(value, dict) else value
