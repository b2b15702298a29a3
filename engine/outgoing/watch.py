"""One thread that calls back when moments have come, however many there are to wait for."""

from __future__ import annotations

import heapq
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

# Moments that nobody waits for any more are swept out when they are this many, and most of all.
_MOST_STALE = 1024


class Watch:
    """Calls back at moments. What is called must not block: others wait behind it. Safe to use from several threads.

    The thread starts with the first call and ends with the process; a forked child begins with nothing to wait for.
    """

    _changed: threading.Condition
    _numbers: Iterator[int]
    _actions: dict[int, Callable[[], None]]
    _moments: list[tuple[float, int]]
    _thread: threading.Thread | None

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def call_after(self, seconds: float, action: Callable[[], None]) -> int:
        """Have `action` called from the watching thread; the number is for `cancel`."""
        moment = time.monotonic() + seconds
        with self._changed:
            number = next(self._numbers)
            self._actions[number] = action
            heapq.heappush(self._moments, (moment, number))
            if self._moments[0][1] == number:
                self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()
        return number

    def cancel(self, number: int) -> None:
        """Do not call any more, unless that has begun."""
        with self._changed:
            self._actions.pop(number, None)
            if len(self._moments) > _MOST_STALE + 2 * len(self._actions):
                self._moments = [entry for entry in self._moments if entry[1] in self._actions]
                heapq.heapify(self._moments)

    def _run(self) -> None:
        while True:
            action = self._next()
            # Nothing that one caller does wrong may keep others waiting for ever.
            with suppress(Exception):
                action()

    def _next(self) -> Callable[[], None]:
        with self._changed:
            while True:
                if not self._moments:
                    self._changed.wait()
                elif self._moments[0][1] not in self._actions:
                    heapq.heappop(self._moments)
                elif (left := self._moments[0][0] - time.monotonic()) > 0:
                    self._changed.wait(min(left, threading.TIMEOUT_MAX))
                else:
                    return self._actions.pop(heapq.heappop(self._moments)[1])

    def _forget(self) -> None:
        self._changed = threading.Condition()
        self._numbers = count()
        self._actions = {}
        self._moments = []
        self._thread = None
