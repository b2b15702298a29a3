"""Clients of acme's project, with the scopes that most tests need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sources import composition
from tests.cast import Api, make_token
from tests.engine.webserver import WebServer, web_server
from tests.sources.helpers import Endpoint, organization_path, project_path
from tests.symbolication import symbolserver
from tests.symbolication.symbolserver import SymbolServer


@pytest.fixture(autouse=True)
def _fresh_compositions():
    composition.forget()


@pytest.fixture
def api(acme, acme_project):
    """A token bound to nothing but acme, with every scope."""
    return Api(make_token(acme))


@pytest.fixture
def sources(api):
    """The endpoint of the project's sources."""
    return Endpoint(api, project_path())


@pytest.fixture
def shared_sources(api):
    """The endpoint of the organization's sources."""
    return Endpoint(api, organization_path())


@pytest.fixture(params=["project", "organization"])
def either(request, api):
    """The one endpoint, then the other: they behave alike."""
    return Endpoint(api, project_path() if request.param == "project" else organization_path())


@pytest.fixture
def loopback(settings: Any) -> None:
    """Sources may lie on this machine."""
    settings.ENVIRONMENT = {**settings.ENVIRONMENT, "ALLOWED_SOURCE_NETWORKS": ("127.0.0.0/8",)}


@pytest.fixture
def symbols() -> Iterator[SymbolServer]:
    with symbolserver.running() as server:
        yield server


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as made:
        yield made
