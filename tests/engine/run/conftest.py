"""An engine with a store of its own, and a symbol server that has the small library."""

from __future__ import annotations

import pytest

from engine.run import Engine, Gate
from tests.engine.run.serving import BASE, FIXTURES, ask, http_source, serve_elf
from tests.engine.stores import store_in


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    with store_in(tmp_path_factory.mktemp("cache")) as made:
        yield made


@pytest.fixture
def engine(store):
    return Engine(store, Gate())


@pytest.fixture
def ledger(server):
    """The library of the `nofp` build, served; lookups find it at `source`."""
    return serve_elf(server, (FIXTURES / "crash/builds/nofp/libledger.so").read_bytes(), "libledger.so")


@pytest.fixture
def source(server):
    return http_source(server)


@pytest.fixture
def answer_to(engine, ledger, source):
    """Ask about stacks in the library, which lies at BASE."""

    def ask_about(*stacks, modules=None, **fields):
        known = [ledger.module(BASE)] if modules is None else modules
        return ask(engine, {"stacktraces": list(stacks), "modules": known} | fields, [source])

    return ask_about
