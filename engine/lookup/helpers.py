"""Threads that wait for servers beside whoever asked, and wait for more to do for a while after that."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

# Of a process. What gets no thread is done by the one that asks: a server that hangs can make others slower but never
# stop them.
MOST_THREADS = 512
IDLE_SECONDS = 5.0

Work = Callable[[], None]


class Helpers:
    """At most `most` threads. Safe to use from several; a forked child begins without any."""

    _lock: threading.Lock
    _idle: list[SimpleQueue[Work]]
    _count: int

    def __init__(self, most: int = MOST_THREADS, idle_seconds: float = IDLE_SECONDS) -> None:
        self._most = most
        self._idle_seconds = idle_seconds
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def lend(self, work: Work) -> bool:
        """Have a thread do some work; False when all are busy."""
        with self._lock:
            if self._idle:
                # The one that has waited the shortest: the others come to their end.
                self._idle.pop().put(work)
                return True
            if self._count >= self._most:
                return False
            self._count += 1
        inbox: SimpleQueue[Work] = SimpleQueue()
        inbox.put(work)
        try:
            threading.Thread(target=self._run, args=(inbox,), name="lookup-helper", daemon=True).start()
        except RuntimeError:  # the system has no more threads
            with self._lock:
                self._count -= 1
            return False
        return True

    def _run(self, inbox: SimpleQueue[Work]) -> None:
        while (work := self._next(inbox)) is not None:
            # Whoever gave it hears of failures in ways of their own.
            with suppress(Exception):
                work()
            del work
            with self._lock:
                self._idle.append(inbox)

    def _next(self, inbox: SimpleQueue[Work]) -> Work | None:
        """What there is to do; None when nothing came for long."""
        try:
            return inbox.get(timeout=self._idle_seconds)
        except Empty:
            with self._lock:
                if inbox in self._idle:
                    self._idle.remove(inbox)
                    self._count -= 1
                    return None
        # Given at the last moment.
        return inbox.get()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._idle = []
        self._count = 0
