"""Doing several waits at once with threads that exist only as long as there is something to wait for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from threading import Lock, Semaphore, Thread

from engine.outgoing import Deadline

_HELPERS_PER_CALL = 7
_HELPERS_PER_PROCESS = 256


class Workers:
    """Runs jobs that wait for I/O side by side, on the calling thread and on a few helpers beside it.

    The helpers of all calls together are bounded; when they are used up, the caller goes on alone.
    """

    def __init__(self, limit: int = _HELPERS_PER_PROCESS) -> None:
        self._budget = Semaphore(limit)

    def run(self, jobs: Iterable[Callable[[], None]], deadline: Deadline) -> None:
        """Run every job. The first exception of one is raised when all are through or the deadline is over."""
        batch = _Batch(jobs)
        helpers = self._start_helpers(batch)
        batch.work()
        for helper in helpers:
            helper.join(None if deadline.end == float("inf") else deadline.remaining() + 1)
            deadline.check()
        if batch.errors:
            raise batch.errors[0]

    def _start_helpers(self, batch: _Batch) -> list[Thread]:
        helpers = []
        for _ in range(min(len(batch.jobs) - 1, _HELPERS_PER_CALL)):
            if not self._budget.acquire(blocking=False):
                break
            helper = Thread(target=self._help, args=(batch,), daemon=True)
            helper.start()
            helpers.append(helper)
        return helpers

    def _help(self, batch: _Batch) -> None:
        try:
            batch.work()
        finally:
            self._budget.release()


class _Batch:
    def __init__(self, jobs: Iterable[Callable[[], None]]) -> None:
        self.jobs = deque(jobs)
        self.errors: list[BaseException] = []
        self._lock = Lock()

    def work(self) -> None:
        while True:
            with self._lock:
                if not self.jobs or self.errors:
                    return
                job = self.jobs.popleft()
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - handed over to the caller's thread, which raises it
                self.errors.append(error)
