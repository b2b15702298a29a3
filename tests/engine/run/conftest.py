"""An engine with a store of its own, and a symbol server that has the small library."""

from __future__ import annotations

import pytest

from engine.lookup import Store
from engine.run import Engine, Gate
from tests.engine.run.serving import BASE, FIXTURES, ask, http_source, serve_elf
from tests.engine.webserver import web_server


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    made = Store(tmp_path_factory.mktemp("cache"), max_download_bytes=50 * 1024**2)
    yield made
    own = made.converter._own
    if own is not None:
        own.kill()
        own.wait()


@pytest.fixture
def engine(store):
    return Engine(store, Gate())


@pytest.fixture
def server():
    with web_server() as made:
        yield made


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
