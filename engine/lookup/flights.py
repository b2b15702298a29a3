"""Equal lookups that run at the same time are one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from engine.outgoing import Deadline

Answer = TypeVar("Answer")


class _Flight(Generic[Answer]):
    def __init__(self) -> None:
        self.landed = threading.Event()
        self.answers: list[Answer] = []


class Flights(Generic[Answer]):
    """Lets one thread work and gives its answer to all that asked the same meanwhile.

    So a hundred requests that wait for the same hanging server cost a hundred waiting threads, and no more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight[Answer]] = {}

    def run(self, key: Hashable, work: Callable[[], Answer], deadline: Deadline) -> Answer:
        """The answer to `key`. Raises DeadlineExceeded, and what `work` raises when it is this thread that works."""
        while True:
            with self._lock:
                flight = self._flights.get(key)
                leading = flight is None
                if flight is None:
                    flight = self._flights[key] = _Flight()
            if leading:
                return self._lead(key, flight, work)
            flight.landed.wait(min(deadline.remaining(), threading.TIMEOUT_MAX))
            if flight.answers:
                return flight.answers[0]
            # The one who worked failed, perhaps for lack of time, which is no answer to us.
            deadline.check()

    def _lead(self, key: Hashable, flight: _Flight[Answer], work: Callable[[], Answer]) -> Answer:
        try:
            answer = work()
            flight.answers.append(answer)
            return answer
        finally:
            with self._lock:
                del self._flights[key]
            flight.landed.set()
