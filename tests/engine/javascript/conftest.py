"""A JavaScript engine with a store of its own, and an artifact server."""

from __future__ import annotations

import pytest

from engine.lookup import Store
from engine.run import Gate, JavascriptEngine
from tests.engine.javascript.serving import Artifacts
from tests.engine.webserver import web_server


@pytest.fixture(scope="session")
def js_store(tmp_path_factory):
    made = Store(tmp_path_factory.mktemp("js-cache"), max_download_bytes=50 * 1024**2)
    yield made
    own = made.converter._own
    if own is not None:
        own.kill()
        own.wait()


@pytest.fixture
def js(js_store):
    return JavascriptEngine(js_store, Gate())


@pytest.fixture
def server():
    with web_server() as made:
        yield made


@pytest.fixture
def artifacts(server):
    return Artifacts(server)
