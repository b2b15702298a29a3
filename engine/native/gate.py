"""The gate in front of CPU work: as many threads as it has places compute, the others wait in the order they came.

Threads that compute side by side in one process hand the interpreter lock to and fro and together do less than one
of them alone. A plain semaphore would starve whoever waits while others come and go quickly.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from types import TracebackType


class Gate:
    """A fair lock with `places` holders at a time. Use it as a context manager; it is not reentrant.

    Nobody may wait for I/O or for another lock while holding it.
    """

    def __init__(self, places: int = 1) -> None:
        self._guard = Lock()
        self._free = places
        self._queue: deque[Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if self._free:
                self._free -= 1
                return
            turn = Lock()
            turn.acquire()
            self._queue.append(turn)
        self._wait(turn)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leave()

    def _wait(self, turn: Lock) -> None:
        try:
            turn.acquire()
        except BaseException:  # an exception thrown into a waiting thread must not take the place with it
            self._give_up(turn)
            raise

    def _give_up(self, turn: Lock) -> None:
        with self._guard:
            waiting = turn in self._queue
            if waiting:
                self._queue.remove(turn)
        if not waiting:
            self._leave()

    def _leave(self) -> None:
        with self._guard:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._free += 1
