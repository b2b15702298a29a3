"""Talking to the service from outside, by plain HTTP."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4


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


SCOPES = ("project:read", "project:write", "project:admin", "org:read", "org:write", "symbolicate:post")
_organizations: dict[tuple[str, int], tuple[str, str]] = {}


def new_tenant(service: Any, number: int = 0) -> Tenant:
    """A fresh project on a running service, in its organization `number`.

    Commands take seconds, so tests share organizations; what they store lies in projects of their own.
    """
    url = service.url.rstrip("/")
    if (url, number) not in _organizations:
        made = service.bootstrap()["organization"]
        slug = made["slug"] if isinstance(made, dict) else made
        _organizations[url, number] = (slug, service.token(slug, scopes=SCOPES))
    organization, token = _organizations[url, number]
    name = f"p-{uuid4().hex[:12]}"
    address = f"{url}/api/0/organizations/{organization}/projects/"
    answer = call(address, "POST", {"name": name, "slug": name}, token=token)
    assert answer.status == 201, answer.body
    return Tenant(url, organization, name, token)
