"""Requests by token, past the framework: answered, refused and headed as through it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import resolve

from core.database import AWAY
from core.wire.handler import WireHandler
from projects.models import Organization, Project
from symbolsvc.door import Door, match_of
from tests.cast import make_project, make_token
from tests.symbolication.requests import http_source, is_resolved, ledger
from tests.symbolication.symbolserver import SymbolServer
from tests.wire import answer, connection_stays_open, environ  # noqa: F401 - pytest finds fixtures by name

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("environment", "connection_stays_open")]

ROOT = "/symbolicate"
PROJECT = "/api/0/projects/acme/native-app/symbolicate/"


@pytest.fixture
def token(acme: Organization, acme_project: Project) -> str:
    return make_token(acme, scopes=["symbolicate:post"])


def asked(path: str, body: bytes, authorization: str, **more: Any) -> dict[str, Any]:
    return environ(path, body, "application/json", HTTP_AUTHORIZATION=authorization, **more)


def both(path: str, body: bytes, authorization: str, **more: Any) -> tuple[Any, Any]:
    """What comes of a request past the framework, and through it."""
    given = asked(path, body, authorization, **more)
    assert match_of(given) is not None
    return answer(Door(WireHandler()), given), answer(WireHandler(), asked(path, body, authorization, **more))


@pytest.mark.parametrize("path", [ROOT, PROJECT, f"{ROOT}?scope=other", f"{PROJECT}?timeout=60"])
def test_answers_are_the_same(path, token, symbol_server: SymbolServer):
    named = {"sources": [http_source(symbol_server.url)]} if path.startswith(ROOT) else {}
    past, through = both(path, json.dumps(ledger(**named)).encode(), f"bearer {token}")
    assert past == through
    assert past[0] == "200 OK"
    assert is_resolved(json.loads(past[2])) == bool(named)


FAULTS: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "unknown token": ("Bearer {token}x", b"{}", {}),
    "two words": ("Bearer {token} x", b"{}", {}),
    "no token": ("Bearer ", b"{}", {}),
    "not ASCII": ("Bearer \xe4", b"{}", {}),
    "no JSON": ("Bearer {token}", b"{", {}),
    "no request": ("Bearer {token}", b'{"stacktraces": 1}', {}),
    "bad sources": ("Bearer {token}", b'{"sources": [{"id": 1}]}', {}),
    "bad query": ("Bearer {token}", b"{}", {"QUERY_STRING": "timeout=x"}),
    "other type": ("Bearer {token}", b"{}", {"CONTENT_TYPE": "text/plain"}),
    "short body": ("Bearer {token}", b"{}", {"CONTENT_LENGTH": "9"}),
}


@pytest.mark.parametrize("path", [ROOT, PROJECT])
@pytest.mark.parametrize("fault", FAULTS)
def test_refusals_are_the_same(path, fault, token):
    authorization, body, more = FAULTS[fault]
    past, through = both(path, body, authorization.format(token=token), **more)
    assert past == through
    assert past[0].startswith("4")


@pytest.mark.parametrize("path", ["/api/0/projects/other/native-app/symbolicate/", PROJECT.replace("-app", "-no")])
def test_what_a_token_does_not_open_stays_shut(path, token):
    past, through = both(path, b"{}", f"Bearer {token}")
    assert past == through
    assert past[0][:3] in ("401", "404")


@pytest.mark.parametrize("path", [ROOT, PROJECT])
def test_scopes_and_the_project_of_a_token_are_demanded(path, acme, acme_project):
    for token in (make_token(acme, scopes=["project:read"]), make_token(acme, make_project(acme, "another"))):
        past, through = both(path, b"{}", f"Bearer {token}")
        assert past == through
    assert past[0][:3] == ("200" if path == ROOT else "404")


@pytest.mark.parametrize("error", AWAY)
@pytest.mark.parametrize("where", ["projects.selectors.first_row", "symbolication.views.quick.touch"])
def test_a_database_that_is_down_is_told_in_the_same_way(token, where, error, monkeypatch):
    def broken(*_: Any) -> None:
        raise error("gone")

    monkeypatch.setattr(where, broken)
    monkeypatch.setattr("projects.authentication.touch", broken)
    past, through = both(PROJECT, b"{}", f"Bearer {token}")
    assert past == through
    assert past[0].startswith("503")


@pytest.mark.parametrize("authorization", ["", "Basic YTo=", "Bearer"])
def test_without_a_token_the_framework_answers(authorization):
    assert match_of(asked(PROJECT, b"{}", authorization)) is None


@pytest.mark.parametrize("path", [ROOT, PROJECT])
def test_it_leads_to_what_the_framework_leads_to(path):
    found, there = match_of(asked(path, b"{}", "Bearer x")), resolve(path)
    assert found is not None
    assert (found.func.cls, found.kwargs) == (there.func.cls, there.kwargs)
