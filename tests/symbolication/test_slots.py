"""The limit of requests in flight: exact over processes, and safe against their sudden death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from symbolication.slots import UNCOUNTED, Slots

# Takes as many slots as it is asked for, says how many it got, and lives until its input ends.
HOLDER = """
import sys
from pathlib import Path
from symbolication.slots import Slots
slots = Slots(Path(sys.argv[1]), int(sys.argv[2]))
taken = [slot for _ in range(int(sys.argv[3])) if (slot := slots.take()) is not None]
print(len(taken), flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(path: Path, limit: int, wanted: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    argv = [sys.executable, "-c", HOLDER, str(path), str(limit), str(wanted)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def take_all(slots: Slots) -> list[int]:
    taken = []
    while (slot := slots.take()) is not None:
        taken.append(slot)
    return taken


def test_a_process_takes_as_many_slots_as_there_are_and_each_once(tmp_path: Path) -> None:
    taken = take_all(Slots(tmp_path / "slots", 7))

    assert sorted(taken) == list(range(7))


def test_a_slot_given_back_is_taken_again(tmp_path: Path) -> None:
    slots = Slots(tmp_path / "slots", 2)
    first, _second = take_all(slots)

    slots.free(first)

    assert slots.take() == first
    assert slots.take() is None


def test_without_a_limit_there_is_always_a_slot_and_no_file(tmp_path: Path) -> None:
    slots = Slots(tmp_path / "slots", None)

    assert {slots.take() for _ in range(1000)} == {UNCOUNTED}
    slots.free(UNCOUNTED)
    assert not (tmp_path / "slots").exists()


def test_processes_share_the_slots_exactly(tmp_path: Path) -> None:
    path = tmp_path / "slots"
    with (
        holder(path, 200, 120) as (_, first),
        holder(path, 200, 120) as (_, second),
        holder(path, 200, 9) as (_, third),
    ):
        assert (first, second, third) == (120, 80, 0)


def test_processes_that_take_at_once_exceed_nothing_together(tmp_path: Path) -> None:
    path = tmp_path / "slots"
    argv = [sys.executable, "-c", HOLDER, str(path), "50", "40"]
    racing = [subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)]
    try:
        counts = [int(process.stdout.readline()) for process in racing if process.stdout]
    finally:
        for process in racing:
            process.kill()
            process.communicate()

    assert sum(counts) == 50


def test_the_slots_of_a_killed_process_are_free_at_once(tmp_path: Path) -> None:
    path = tmp_path / "slots"
    slots = Slots(path, 5)
    with holder(path, 5, 4) as (process, got):
        assert got == 4
        assert len(take_all(slots)) == 1
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    assert len(take_all(slots)) == 4


def test_threads_of_one_process_never_get_the_same_slot(tmp_path: Path) -> None:
    slots = Slots(tmp_path / "slots", 8)
    guard, holding, clashes = threading.Lock(), set[int](), []

    def work() -> None:
        for _ in range(300):
            slot = slots.take()
            if slot is None:
                continue
            with guard:
                if slot in holding:
                    clashes.append(slot)
                holding.add(slot)
            time.sleep(0)
            with guard:
                holding.discard(slot)
            slots.free(slot)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert clashes == []
    assert slots.held == 0


def test_taking_and_giving_back_costs_microseconds(tmp_path: Path) -> None:
    slots = Slots(tmp_path / "slots", 200)
    rounds = 5000

    def once() -> float:
        began = time.perf_counter()
        for _ in range(rounds):
            slot = slots.take()
            assert slot is not None
            slots.free(slot)
        return (time.perf_counter() - began) / rounds

    # The best of some, since other processes compete for the machine; generous, to fail only for another order.
    assert min(once() for _ in range(5)) < 50e-6
