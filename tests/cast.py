"""The cast of the tests: two organizations, who works there, and their tokens.

Plain functions make things; the fixtures of the same names are there for every test (`pytest_plugins` or import).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from projects import services
from projects.access import SYSTEM
from projects.models import Organization, Project
from projects.scopes import ADMIN, MEMBER, OWNER, SCOPES

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def make_organization(slug: str = "acme") -> Organization:
    return services.create_organization(slug=slug, name=slug.title(), actor=SYSTEM)


def make_project(organization: Organization, slug: str = "native-app") -> Project:
    return services.create_project(organization=organization, name=slug, slug=slug, actor=SYSTEM)


def make_user(email: str | None = None) -> User:
    return services.create_user(email=email or f"someone{next(_numbers)}@example.com", password=PASSWORD)


def make_member(organization: Organization, role: str = MEMBER, email: str | None = None) -> User:
    user = make_user(email)
    services.add_member(organization=organization, user=user, role=role, actor=SYSTEM)
    return user


def make_token(
    organization: Organization,
    project: Project | None = None,
    scopes: Iterable[str] = tuple(SCOPES),
    expires_at: datetime | None = None,
) -> str:
    """The text of a new token, with every scope unless told otherwise."""
    _, text = services.issue_token(
        organization=organization, project=project, scopes=scopes, expires_at=expires_at, actor=SYSTEM
    )
    return text


@dataclass(frozen=True)
class Api:
    """A client of the REST API: `Api(token).get("/api/0/")`, `Api(user=member).post(path, {...})`.

    A user is signed in with a session and sends the CSRF token unless `csrf` is False.
    """

    token: str | None = None
    user: User | None = None
    csrf: bool = True

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.request("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.request("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> HttpResponse:
        return self.request("DELETE", path, **headers)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """`body`: bytes or text go as they are, anything else as JSON, None as no body at all."""
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        sent = {**self._headers(client), **headers}
        content_type = sent.pop("content_type", "application/json")
        data = b"" if body is None else body if isinstance(body, bytes | str) else json.dumps(body)
        return client.generic(method, path, data, content_type, headers=sent)

    def _headers(self, client: Client) -> dict[str, str]:
        headers = {} if self.token is None else {"authorization": f"Bearer {self.token}"}
        if self.user is not None:
            client.force_login(self.user)
            if self.csrf:
                client.cookies["csrftoken"] = "c" * 32
                headers["x-csrftoken"] = "c" * 32
        return headers


@pytest.fixture
def acme(db: None) -> Organization:
    return make_organization("acme")


@pytest.fixture
def umbrella(db: None) -> Organization:
    return make_organization("umbrella")


@pytest.fixture
def acme_project(acme: Organization) -> Project:
    return make_project(acme, "native-app")


@pytest.fixture
def umbrella_project(umbrella: Organization) -> Project:
    return make_project(umbrella, "native-app")


@pytest.fixture
def owner(acme: Organization) -> User:
    return make_member(acme, OWNER, "owner@acme.example")


@pytest.fixture
def admin(acme: Organization) -> User:
    return make_member(acme, ADMIN, "admin@acme.example")


@pytest.fixture
def member(acme: Organization) -> User:
    return make_member(acme, MEMBER, "member@acme.example")


@pytest.fixture
def stranger(umbrella: Organization) -> User:
    return make_member(umbrella, OWNER, "stranger@umbrella.example")
