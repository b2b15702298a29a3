"""Many at once, killed in between, and bits that flip on disk."""

from __future__ import annotations

import errno
import multiprocessing
import os
import random
import signal
import threading
import time

import pytest
from symbolic import SymCache

from engine.lookup import ModuleStatus, Store
from tests.engine.lookup.conftest import LEDGER_PATH, look, make_source
from tests.engine.webserver import hang, reply

SPAWN = multiprocessing.get_context("spawn")


def look_from_another_process(cache_dir, url, start, answers):
    store = Store(cache_dir)
    source = make_source(url)
    start.wait(60)
    answer = look(store, [source])
    answers.put((answer.status.value, answer.identity, os.stat(answer.path).st_ino))


BIG_BYTES = 200 * 1024**2


@pytest.mark.parametrize(("processes", "padding"), [(4, 0), (8, BIG_BYTES)], ids=["small", "200 MB"])
def test_processes_that_want_one_cold_file_fetch_and_convert_it_once(server, store, ledger, processes, padding):
    server.routes[LEDGER_PATH] = reply(body=ledger + bytes(padding))
    start, answers = SPAWN.Barrier(processes), SPAWN.Queue()
    arguments = (store.cache_dir, server.url, start, answers)
    workers = [SPAWN.Process(target=look_from_another_process, args=arguments) for _ in range(processes)]
    for worker in workers:
        worker.start()
    found = {answers.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join(30)

    # One inode: whoever converts publishes a file of its own.
    assert len(found) == 1
    assert next(iter(found))[0] == "found"
    assert len(server.asked) == 5


def test_a_hundred_threads_that_want_one_cold_file_fetch_it_once(server, store, ledger):
    def slow(asked, connection):
        time.sleep(0.3)
        reply(body=ledger)(asked, connection)

    server.routes[LEDGER_PATH] = slow
    source, answers = make_source(server.url), []
    before = threading.active_count()
    threads = [threading.Thread(target=lambda: answers.append(look(store, [source]))) for _ in range(100)]
    for thread in threads:
        thread.start()
    time.sleep(0.15)
    most = threading.active_count()
    for thread in threads:
        thread.join(60)

    assert {answer.status for answer in answers} == {ModuleStatus.FOUND}
    assert len(answers) == 100
    assert server.paths.count(LEDGER_PATH) == 1
    assert most - before < 130


def test_a_process_killed_while_it_downloads_leaves_nothing_half(server, store, ledger):
    started = threading.Event()

    def half(asked, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(ledger) + ledger[: len(ledger) // 2])
        started.set()
        hang(asked, connection)

    server.routes[LEDGER_PATH] = half
    start, answers = SPAWN.Barrier(1), SPAWN.Queue()
    arguments = (store.cache_dir, server.url, start, answers)
    worker = SPAWN.Process(target=look_from_another_process, args=arguments)
    worker.start()
    assert started.wait(60)
    time.sleep(0.1)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    server.routes[LEDGER_PATH] = reply(body=ledger)

    answer = look(store, [make_source(server.url)], seconds=20)

    assert answer.status is ModuleStatus.FOUND
    assert SymCache.open(str(answer.path)).lookup(0x1200) is not None


@pytest.mark.parametrize("seed", range(25))
def test_flipped_bits_in_a_symcache_lead_to_a_new_one(server, store, seed):
    source = make_source(server.url)
    first = look(store, [source])
    whole = first.path.read_bytes()
    dice = random.Random(seed)
    damaged = bytearray(whole)
    for _ in range(dice.randint(1, 20)):
        damaged[dice.randrange(len(damaged) - 36)] ^= 1 << dice.randrange(8)
    first.path.write_bytes(damaged if seed % 5 else damaged[: dice.randrange(len(damaged))])

    again = look(store, [source])

    assert (again.status, again.identity) == (ModuleStatus.FOUND, first.identity)
    assert again.path.read_bytes() == whole
    assert len(server.asked) == 5


def test_a_damaged_object_file_is_fetched_again_before_it_is_converted(server, store):
    source = make_source(server.url)
    first = look(store, [source])
    [stored] = [path for path in store.cache_dir.glob("objects/*/*/*") if not path.suffix]
    stored.write_bytes(stored.read_bytes()[:1000])
    first.path.unlink()

    assert look(store, [source]).identity == first.identity
    assert server.paths.count(LEDGER_PATH) == 2


def test_a_symcache_outlives_the_object_it_was_made_of(server, store):
    source = make_source(server.url)
    first = look(store, [source])
    for path in store.cache_dir.glob("objects/*/*/*"):
        if not path.suffix:
            path.unlink()

    assert look(store, [source]).identity == first.identity
    assert len(server.asked) == 5


def test_an_object_that_is_gone_for_good_is_told(server, store):
    source = make_source(server.url)
    first = look(store, [source])
    first.path.unlink()
    for path in store.cache_dir.glob("objects/*/*/*"):
        if not path.suffix:
            path.unlink()
    server.routes[LEDGER_PATH] = reply("404 Not Found")

    answer = look(store, [source])

    assert answer.status is ModuleStatus.OTHER
    assert [row.debug.details for row in answer.candidates if row.debug] == ["Object file no longer available"]


@pytest.mark.parametrize(
    ("number", "details"),
    [(errno.ENOSPC, "the cache directory is full"), (errno.EDQUOT, "the cache directory is full")]
    + [(errno.EACCES, "internal error")],
)
def test_a_full_or_forbidden_cache_is_an_internal_error_and_not_remembered(server, store, monkeypatch, number, details):
    source = make_source(server.url)

    def fail(*args):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr("engine.caches.files.os.replace", fail)
        answer = look(store, [source])
    assert answer.status is ModuleStatus.OTHER
    assert {row.download.details for row in answer.candidates} == {details}

    assert look(store, [source]).status is ModuleStatus.FOUND


def test_a_converter_killed_in_between_is_no_obstacle(server, store):
    source = make_source(server.url)
    look(store, [source])
    store.converter._own.kill()

    assert look(store, [source], scope="p2").status is ModuleStatus.FOUND


def test_a_known_module_costs_a_fresh_process_little(server, store):
    """Artefacts on disk, nothing in memory: about a millisecond, and not the tens that a download or a job costs."""
    source = make_source(server.url)
    look(store, [source])
    fresh = Store(store.cache_dir)
    times = []
    for _ in range(30):
        started = time.perf_counter()
        look(fresh, [source])
        times.append(time.perf_counter() - started)

    assert sorted(times)[10] < 0.005
