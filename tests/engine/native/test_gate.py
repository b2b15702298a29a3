"""The gate lets in one at a time, in the order of arrival."""

from __future__ import annotations

import time
from threading import Event, Thread

import pytest

from engine.native.gate import Gate


def waiting(gate: Gate, count: int) -> None:
    end = time.monotonic() + 10
    while len(gate._queue) < count:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_those_who_wait_are_served_in_order():
    gate, served = Gate(), []

    def enter(number: int) -> None:
        with gate:
            served.append(number)

    with gate:
        threads = [Thread(target=enter, args=(number,)) for number in range(20)]
        for number, thread in enumerate(threads):
            thread.start()
            waiting(gate, number + 1)
    for thread in threads:
        thread.join(10)
    assert served == list(range(20))


def test_who_comes_back_at_once_waits_behind_the_others():
    gate, order, done = Gate(), [], Event()

    def greedy() -> None:
        for _ in range(50):
            with gate:
                order.append("greedy")
                done.wait(0.001)

    def modest() -> None:
        with gate:
            order.append("modest")

    thread = Thread(target=greedy)
    thread.start()
    while not order:
        time.sleep(0.0005)
    other = Thread(target=modest)
    other.start()
    other.join(10)
    seen = order.index("modest")
    thread.join(10)
    assert seen <= 5


def test_no_two_hold_it_at_once():
    gate, inside, worst = Gate(), [0], [0]

    def enter() -> None:
        for _ in range(200):
            with gate:
                inside[0] += 1
                worst[0] = max(worst[0], inside[0])
                inside[0] -= 1

    threads = [Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert worst == [1]


def test_an_error_inside_leaves_it_open():
    gate = Gate()
    with pytest.raises(ValueError, match="inside"), gate:
        raise ValueError("inside")
    with gate:
        pass


def test_who_gives_up_waiting_takes_no_place():
    gate = Gate()

    class Interrupted:
        def acquire(self) -> None:
            raise KeyboardInterrupt

    turn = Interrupted()
    with gate:
        gate._queue.append(turn)
        with pytest.raises(KeyboardInterrupt):
            gate._wait(turn)
        assert not gate._queue
    with gate:
        pass
