from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from debugfiles import composing
from projects.models import Organization
from sources import lookups
from symbolication import runtime
from tests.cast import Api, make_token
from tests.engine.webserver import WebServer, web_server
from tests.symbolication import symbolserver
from tests.symbolication.symbolserver import SymbolServer


@pytest.fixture
def symbol_server() -> Iterator[SymbolServer]:
    with symbolserver.running() as server:
        yield server


@pytest.fixture
def environment(settings: Any, tmp_path: Path) -> Any:
    """A process as after its start: nothing opened yet, a cache of its own, loopback allowed to sources.

    Calling it changes settings of the environment.
    """

    def change(**values: Any) -> None:
        settings.ENVIRONMENT = {**settings.ENVIRONMENT, **values}
        forget()

    def forget() -> None:
        lookups._forget()
        runtime._forget()
        composing._of_requests.__init__(256)  # type: ignore[misc]
        composing._of_projects.__init__(256)  # type: ignore[misc]
        composing.opened_defaults.cache_clear()

    settings.CACHE_DIR = tmp_path / "cache"
    change(ALLOWED_SOURCE_NETWORKS=("127.0.0.0/8",))
    yield change
    forget()


@pytest.fixture
def api(acme: Organization) -> Api:
    return Api(make_token(acme))


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as made:
        yield made


@pytest.fixture
def library() -> bytes:
    return symbolserver.demo_files()[symbolserver.LEDGER]
