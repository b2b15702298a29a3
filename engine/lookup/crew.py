"""Waiting for several servers at once, with a bounded number of threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from engine.lookup.helpers import Helpers
from engine.outgoing import Deadline

Result = TypeVar("Result")
# Threads that help one call. One that gets none works alone.
HELPERS_PER_CALL = 7
_helpers = Helpers()


class _Crew(Generic[Result]):
    def __init__(self, tasks: Sequence[Callable[[], Result]]) -> None:
        self._tasks = tasks
        self._next = 0
        self._changed = threading.Condition()
        self._results: dict[int, Result] = {}
        self._failure: BaseException | None = None

    def work(self) -> None:
        """Take tasks until none is left or one has failed."""
        while (number := self._take()) is not None:
            try:
                result = self._tasks[number]()
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
                with self._changed:
                    self._failure = error
                    self._changed.notify_all()
                return
            with self._changed:
                self._results[number] = result
                self._changed.notify_all()

    def wait(self, deadline: Deadline) -> list[Result]:
        with self._changed:
            while self._failure is None and len(self._results) < len(self._tasks):
                deadline.check()
                self._changed.wait(min(deadline.remaining(), threading.TIMEOUT_MAX))
            if self._failure is not None:
                raise self._failure
            return [self._results[number] for number in range(len(self._tasks))]

    def _take(self) -> int | None:
        with self._changed:
            if self._failure is not None or self._next >= len(self._tasks):
                return None
            self._next += 1
            return self._next - 1


def run_all(tasks: Sequence[Callable[[], Result]], deadline: Deadline) -> list[Result]:
    """The results of all tasks in their order; the caller's thread takes part.

    Raises what a task raised, and DeadlineExceeded while helpers still wait for theirs.
    """
    crew = _Crew(tasks)
    for _ in range(min(len(tasks) - 1, HELPERS_PER_CALL)):
        if not _helpers.lend(crew.work):
            break
    crew.work()
    return crew.wait(deadline)
