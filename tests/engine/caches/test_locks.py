"""One worker per file, across threads and processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from engine.caches.locks import exclusive
from engine.errors import DeadlineExceeded
from engine.outgoing import Deadline

SPAWN = multiprocessing.get_context("spawn")


def _add(path: Path, counter: Path, rounds: int) -> None:
    for _ in range(rounds):
        with exclusive(path, Deadline.after(60)):
            value = int(counter.read_text())
            time.sleep(0.0005)
            counter.write_text(str(value + 1))


def _hold(path: Path, held: Path) -> None:
    with exclusive(path, Deadline.after(60)):
        held.touch()
        time.sleep(60)


def test_processes_and_threads_take_turns(tmp_path):
    lock, counter = tmp_path / "x.lock", tmp_path / "counter"
    counter.write_text("0")
    processes = [SPAWN.Process(target=_add, args=(lock, counter, 40)) for _ in range(3)]
    threads = [threading.Thread(target=_add, args=(lock, counter, 40)) for _ in range(3)]
    for worker in [*processes, *threads]:
        worker.start()
    for worker in [*processes, *threads]:
        worker.join(60)

    assert counter.read_text() == "240"
    assert not lock.exists()


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_waiting_ends_at_the_deadline(tmp_path, kind):
    lock, held = tmp_path / "x.lock", tmp_path / "held"
    if kind == "process":
        holder = SPAWN.Process(target=_hold, args=(lock, held), daemon=True)
    else:
        holder = threading.Thread(target=_hold, args=(lock, held), daemon=True)
    holder.start()
    while not held.exists():
        time.sleep(0.01)
    started = time.monotonic()

    with pytest.raises(DeadlineExceeded), exclusive(lock, Deadline.after(0.2)):
        raise AssertionError("the lock was free")

    assert 0.1 < time.monotonic() - started < 2
    if kind == "process":
        holder.kill()


def test_a_killed_holder_frees_the_lock(tmp_path):
    lock, held = tmp_path / "x.lock", tmp_path / "held"
    holder = SPAWN.Process(target=_hold, args=(lock, held))
    holder.start()
    while not held.exists():
        time.sleep(0.01)
    os.kill(holder.pid, signal.SIGKILL)

    with exclusive(lock, Deadline.after(5)):
        pass
    holder.join()


def test_different_files_do_not_wait_for_each_other(tmp_path):
    with exclusive(tmp_path / "a.lock", Deadline.after(1)), exclusive(tmp_path / "b.lock", Deadline.after(0.1)):
        pass
