"""What tests of every part of the engine use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.webserver import WebServer, web_server


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as made:
        yield made
