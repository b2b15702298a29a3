"""A symbol server, a store and a module that lies on the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.lookup import Store, find_symcache
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.config import decode_sources
from engine.sourcetypes.registry import open_source
from tests.engine.webserver import LOOPBACK, reply, web_server

LEDGER_FILE = Path(__file__).parents[2] / "fixtures" / "ledger" / "libledger.so"
LEDGER_PATH = "/62/986f426bc4c448d98164228ac3631dbeb993e8"
LEDGER = Wanted(
    ModuleType.ELF,
    "62986f426bc4c448d98164228ac3631dbeb993e8",
    "/opt/app/libledger.so",
    DebugId.parse("426f9862-c46b-48c4-d981-64228ac3631d"),
    "libledger.so",
)
KEY = b"digest key"


def make_source(url, *, id="web", owner="acme", trust=LOOPBACK, **fields):
    config = decode_sources([{"id": id, "type": "http", "url": url} | fields], operator=owner == "builtin")[0]
    return open_source(config, owner=owner, trust=trust, digest_key=KEY)


def look(store, sources, wanted=LEDGER, *, scope="p1", seconds=60.0):
    return find_symcache(wanted, sources, scope=scope, store=store, deadline=Deadline.after(seconds))


def downloads(answer):
    """What candidates say of their downloads, by the end of their location."""
    return {
        row.location.rpartition("/")[2]: (row.download.status.value, row.download.details) for row in answer.candidates
    }


@pytest.fixture
def ledger():
    return LEDGER_FILE.read_bytes()


@pytest.fixture
def server(ledger):
    with web_server() as made:
        made.routes[LEDGER_PATH] = reply(body=ledger)
        yield made


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "cache", max_download_bytes=50 * 1024**2)
    yield made
    own = made.converter._own
    if own is not None:
        own.kill()
        own.wait()
