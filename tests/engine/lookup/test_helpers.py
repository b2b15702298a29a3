"""Threads that help: bounded, used again, and gone when nobody needs them."""

from __future__ import annotations

import os
import threading
import time

import pytest

from engine.errors import DeadlineExceeded
from engine.lookup import crew
from engine.lookup.crew import run_all
from engine.lookup.helpers import Helpers
from engine.outgoing import Deadline


def alive() -> set[int]:
    return {thread.ident or 0 for thread in threading.enumerate() if thread.name == "lookup-helper"}


def until(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_thread_that_is_done_does_the_next_work():
    helpers, seen = Helpers(), []
    for _ in range(5):
        done = threading.Event()
        assert helpers.lend(lambda done=done: (seen.append(threading.get_ident()), done.set()))
        assert done.wait(20)
        until(lambda: len(helpers._idle) == 1)
    assert len(set(seen)) == 1


def test_there_are_no_more_than_allowed():
    helpers, go = Helpers(most=3), threading.Event()
    assert [helpers.lend(go.wait) for _ in range(5)] == [True, True, True, False, False]
    go.set()
    until(lambda: len(helpers._idle) == 3)
    assert helpers.lend(lambda: None)


def test_what_fails_costs_no_thread():
    helpers, done = Helpers(most=1), threading.Event()
    assert helpers.lend(lambda: 1 / 0)
    until(lambda: len(helpers._idle) == 1)
    assert helpers.lend(done.set)
    assert done.wait(20)


def test_threads_end_when_nothing_comes():
    before, helpers = alive(), Helpers(idle_seconds=0.05)
    go = threading.Event()
    for _ in range(4):
        assert helpers.lend(go.wait)
    assert len(alive() - before) == 4
    go.set()
    until(lambda: not alive() - before)
    done = threading.Event()
    assert helpers.lend(done.set)
    assert done.wait(20)


def test_nothing_is_lost_between_the_last_moment_and_the_end():
    helpers, lock = Helpers(most=4, idle_seconds=0.001), threading.Lock()
    count = [0, 0]

    def work() -> None:
        with lock:
            count[0] += 1

    for _ in range(2000):
        count[1] += helpers.lend(work)
        time.sleep(0.0005)
    until(lambda: count[0] == count[1])
    assert count[0] > 100


def test_a_forked_child_begins_without_threads():
    helpers, done = Helpers(most=1), threading.Event()
    assert helpers.lend(done.set)
    until(lambda: len(helpers._idle) == 1)
    child = os.fork()
    if child == 0:
        theirs = threading.Event()
        os._exit(0 if helpers.lend(theirs.set) and theirs.wait(20) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_without_threads_the_caller_does_it_all(monkeypatch):
    monkeypatch.setattr(crew, "_helpers", Helpers(most=0))
    here = threading.get_ident()
    assert run_all([threading.get_ident] * 9, Deadline.after(20)) == [here] * 9


def test_results_come_in_order_and_tasks_wait_side_by_side():
    together = threading.Barrier(crew.HELPERS_PER_CALL + 1)

    def task(number: int) -> int:
        together.wait(20)
        return number

    tasks = [lambda number=number: task(number) for number in range(crew.HELPERS_PER_CALL + 1)]
    assert run_all(tasks, Deadline.after(20)) == list(range(crew.HELPERS_PER_CALL + 1))


def test_a_failure_and_the_end_of_time_are_raised():
    with pytest.raises(ZeroDivisionError):
        run_all([lambda: 1, lambda: 1 // 0, lambda: 2], Deadline.after(20))
    go, begun = threading.Event(), threading.Event()
    caller = threading.get_ident()

    def hang() -> None:
        if threading.get_ident() == caller:
            begun.wait(20)
        else:
            begun.set()
            go.wait(20)

    with pytest.raises(DeadlineExceeded):
        run_all([hang, hang], Deadline.after(0.1))
    go.set()
