"""A JavaScript engine with a store of its own, and an artifact server."""

from __future__ import annotations

import pytest

from engine.run import Gate, JavascriptEngine
from tests.engine.javascript.serving import Artifacts
from tests.engine.stores import store_in


@pytest.fixture(scope="session")
def js_store(tmp_path_factory):
    with store_in(tmp_path_factory.mktemp("js-cache")) as made:
        yield made


@pytest.fixture
def js(js_store):
    return JavascriptEngine(js_store, Gate())


@pytest.fixture
def artifacts(server):
    return Artifacts(server)
