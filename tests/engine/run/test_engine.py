"""What an engine remembers, shares, waits for and survives."""

from __future__ import annotations

import json
import logging
import os
import threading
import time

import pytest

from engine.caches import Limits, tidy
from engine.errors import DeadlineExceeded
from engine.native.frames import Writer
from engine.native.symcache import OpenSymcaches
from engine.outgoing import Deadline
from engine.run import asking, decode_request
from tests.engine.run.serving import BASE, INLINED, PLAIN, ask, frames, http_source, stack
from tests.engine.webserver import hang, reply


def test_a_second_request_asks_nobody_wherever_the_library_lies_now(engine, ledger, source, server, monkeypatch):
    first = ask(engine, {"stacktraces": [stack(PLAIN, INLINED)], "modules": [ledger.module(BASE)]}, [source])
    asked = len(server.asked)
    monkeypatch.setattr(engine.symcaches, "get", None)
    moved = BASE + 0x123000
    second = ask(
        engine, {"stacktraces": [stack(PLAIN, INLINED, base=moved)], "modules": [ledger.module(moved)]}, [source]
    )
    assert len(server.asked) == asked
    assert [frame["function"] for frame in frames(second)] == [frame["function"] for frame in frames(first)]
    for one, other in zip(frames(first), frames(second), strict=True):
        for field in {"instruction_addr", "sym_addr"} & one.keys():
            assert int(other[field], 16) - int(one[field], 16) == 0x123000


def test_scopes_and_sources_are_not_mixed_up_in_memory(engine, ledger, server):
    asked = {"stacktraces": [stack(PLAIN)], "modules": [ledger.module(BASE)]}
    ask(engine, asked, [http_source(server)])
    server.routes.clear()
    for sources, scope in (
        ([http_source(server)], "other"),
        ([http_source(server, owner="umbrella")], "p1"),
        ([], "p1"),
    ):
        assert ask(engine, asked, sources, scope=scope)["modules"][0]["debug_status"] == "missing"


def test_a_symcache_that_vanished_is_made_again(engine, ledger, source, store):
    asked = {"stacktraces": [stack(PLAIN)], "modules": [ledger.module(BASE)]}
    ask(engine, asked, [source], scope="vanishing")
    for entry, _ in engine.modules._known._young.values():
        if entry.found.answer.path is not None:
            entry.found.answer.path.unlink()
    engine.symcaches = OpenSymcaches()
    fresh = {"stacktraces": [stack(PLAIN, INLINED)], "modules": [ledger.module(BASE)]}
    assert {frame["status"] for frame in frames(ask(engine, fresh, [source], scope="vanishing"))} == {"symbolicated"}


def test_what_is_asked_for_all_the_time_stays_in_the_cache(engine, ledger, source, store, server, monkeypatch):
    """Though it is answered from memory, and much else comes in."""
    asked = {"stacktraces": [stack(PLAIN)], "modules": [ledger.module(BASE)]}
    first = ask(engine, asked, [source], scope="busy")
    before, requests = float(int(time.time()) - 3600), len(server.asked)
    files = [path for path in store.cache_dir.glob("*/*/*/*") if path.is_file()]
    for path in files:
        os.utime(path, (before, before))
    assert ask(engine, asked, [source], scope="busy") == first
    assert {path.stat().st_mtime for path in files} == {before}

    monkeypatch.setattr(asking, "_LOOK_SECONDS", 0.0)
    assert ask(engine, asked, [source], scope="busy") == first

    assert len(server.asked) == requests
    tidy(store.cache_dir, Limits(max_bytes=10**12, downloaded_seconds=60, derived_seconds=60))
    left = {path.relative_to(store.cache_dir).parts[0] for path in files if path.exists()}
    assert left >= {"answers", "symcaches", "objects"}


def test_one_modules_trouble_is_its_own(engine, ledger, source, caplog):
    class Broken:
        id, cache_key, shared, asks_first = "broken", "00", False, False

        def locate(self, wanted, file_types, deadline=None):
            if wanted.code_id != ledger.code_id:
                raise ZeroDivisionError
            return []

        def fetch(self, location, wanted, target, deadline):
            raise AssertionError

    bad = {"type": "elf", "code_id": "ab" * 20, "image_addr": BASE + 0x10000}
    asked = {"stacktraces": [stack(PLAIN, 0x10010)], "modules": [ledger.module(BASE, image_size=0x5000), bad]}
    with caplog.at_level(logging.ERROR, "engine"):
        answer = ask(engine, asked, [Broken(), source], scope="trouble")

    assert [module["debug_status"] for module in answer["modules"]] == ["found", "other"]
    assert [frame["status"] for frame in frames(answer)] == ["symbolicated", "missing"]
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]


def test_the_end_of_the_time_is_told(engine, server, ledger):
    server.default = hang
    asked = {"stacktraces": [stack(PLAIN)], "modules": [{"type": "elf", "code_id": "ab" * 20, "image_addr": BASE}]}
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        ask(engine, asked, [http_source(server)], scope="slow", seconds=0.5)
    assert time.monotonic() - started < 5


def test_requests_for_one_cold_module_share_its_lookup(engine, server, ledger, source):
    asked = {"stacktraces": [stack(PLAIN)], "modules": [ledger.module(BASE)]}
    path = f"/{ledger.code_id[:2]}/{ledger.code_id[2:]}"
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(ask(engine, asked, [source], scope="together")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [frames(answer)[0]["status"] for answer in answers] == ["symbolicated"] * 8
    assert server.paths.count(path) == 1


def test_many_cold_modules_are_waited_for_side_by_side(engine, server):
    def slow(asked, connection):
        time.sleep(0.2)
        reply("404 Not Found")(asked, connection)

    server.default = slow
    modules = [
        {"type": "elf", "code_id": f"{at:040x}", "image_addr": BASE + at * 0x1000, "image_size": 0x800}
        for at in range(1, 9)
    ]
    asked = {"stacktraces": [stack(*[at * 0x1000 for at in range(1, 9)])], "modules": modules}
    started = time.monotonic()
    answer = ask(engine, asked, [http_source(server)], scope="many")
    elapsed = time.monotonic() - started
    assert {module["debug_status"] for module in answer["modules"]} == {"missing"}
    assert elapsed < 8 * 0.2 * 2


def test_every_stack_is_written_behind_the_gate(engine, ledger, source, monkeypatch):
    held = []
    write = Writer.write
    monkeypatch.setattr(Writer, "write", lambda self, placed: (held.append(engine.gate._free), write(self, placed))[1])
    ask(engine, {"stacktraces": [stack(PLAIN)] * 3, "modules": [ledger.module(BASE)]}, [source])
    assert set(held) == {0}
    assert engine.gate._free == 1


def test_the_answer_is_json_that_says_completed_first(engine):
    body = engine.symbolicate(decode_request(b"{}"), [], scope="p1", deadline=Deadline.after(5))
    assert body == b'{"status":"completed","stacktraces":[],"modules":[]}'
    assert json.loads(body)
