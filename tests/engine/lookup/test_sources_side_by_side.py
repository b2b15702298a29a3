"""Sources of one request do not wait for each other, and a source may know its files better than a cache does."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest

from engine.lookup import ModuleStatus, Store
from engine.outgoing import connections
from engine.sourcetypes.base import FileType, Location
from tests.engine.lookup.conftest import LEDGER, downloads, look, make_source
from tests.engine.webserver import hang, web_server

HEADERS_SECONDS = 2.0


@pytest.fixture
def dead():
    with web_server() as made:
        made.default = hang
        yield made


def test_one_dead_source_among_five_costs_its_time_out_once_and_spoils_nothing(server, dead, store, monkeypatch):
    monkeypatch.setattr(connections, "HEADERS_SECONDS", HEADERS_SECONDS)
    sources = [make_source(dead.url, id="dead")]
    sources += [make_source(f"{server.url}/{number}", id=f"empty-{number}") for number in range(3)]
    sources += [make_source(server.url, id="good")]

    began = time.monotonic()
    answer = look(store, sources)
    seconds = time.monotonic() - began

    assert answer.status is ModuleStatus.FOUND
    # A second round of waiting, or a second try, would take it above twice the time-out.
    assert seconds < 2 * HEADERS_SECONDS
    rows = {row.source: row.download for row in answer.candidates if row.location.endswith("/libledger.so")}
    assert rows["dead"].status.value == "error"
    assert "timed out" in str(rows["dead"].details)
    assert rows["empty-0"].status.value == "notfound"
    assert downloads(answer)


@dataclass
class Uploads:
    """A project's own files, as whoever keeps them knows them: nothing is listed that is not there.

    Each change gives another `cache_key`, so that nobody remembers an answer from before it.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    id: str = "uploads"
    shared: bool = False
    asks_first: bool = False

    @property
    def cache_key(self) -> str:
        return f"uploads-of-acme-{len(self.files)}"

    def locate(self, wanted, file_types, deadline=None):
        known = wanted.code_id in self.files and FileType.ELF_CODE in file_types
        return [(FileType.ELF_CODE, Location(wanted.code_id, f"upload://{wanted.code_id}"))] if known else []

    def fetch(self, location, wanted, target, deadline):
        target.write(self.files[location.path])


def test_a_file_of_ones_own_is_found_by_the_next_request_of_another_process(store, ledger):
    uploads = Uploads()
    assert look(store, [uploads]).status is ModuleStatus.MISSING

    uploads.files[LEDGER.code_id] = ledger
    # Another process: the same directory, and nothing in memory.
    other = Store(store.cache_dir, max_download_bytes=store.max_download_bytes)
    other.converter = store.converter

    assert look(other, [uploads]).status is ModuleStatus.FOUND
    assert look(store, [uploads]).status is ModuleStatus.FOUND
