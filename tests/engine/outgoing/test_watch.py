"""The thread that calls back: in order, once, and not what was cancelled."""

from __future__ import annotations

import os
import threading

from engine.outgoing.watch import _MOST_STALE, Watch


def test_moments_come_in_their_order_whenever_they_were_asked_for():
    watch, come, done = Watch(), [], threading.Event()
    watch.call_after(0.06, done.set)
    watch.call_after(0.04, lambda: come.append("later"))
    watch.call_after(0.01, lambda: come.append("sooner"))
    watch.cancel(watch.call_after(0.02, lambda: come.append("cancelled")))

    assert done.wait(30)
    assert come == ["sooner", "later"]


def test_all_moments_share_one_thread():
    watch, threads, done = Watch(), set(), threading.Event()
    for _ in range(50):
        watch.call_after(0.001, lambda: threads.add(threading.current_thread()))
    watch.call_after(0.01, done.set)

    assert done.wait(30)
    assert len(threads) == 1


def test_cancelled_moments_take_no_room():
    watch = Watch()
    for _ in range(5 * _MOST_STALE):
        watch.cancel(watch.call_after(3600, lambda: None))

    assert len(watch._moments) <= _MOST_STALE + 1
    assert not watch._actions


def test_a_forked_child_waits_for_moments_of_its_own():
    watch = Watch()
    watch.call_after(3600, lambda: None)
    pid = os.fork()
    if pid == 0:
        done = threading.Event()
        watch.call_after(0.001, done.set)
        os._exit(0 if done.wait(30) else 1)

    assert os.waitpid(pid, 0)[1] == 0
