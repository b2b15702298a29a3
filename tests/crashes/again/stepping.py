"""Threads that a test lets go on one step at a time, each with transactions of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection, connections

SECONDS = 20.0
_MANY = 100


class Actor:
    """A thread that stops at every checkpoint until it is let go on."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._go = threading.Semaphore(0)
        self._stopped = threading.Event()
        self._begun = False
        self.ended = False
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        _current[self._thread] = self
        self._thread.start()

    def step(self) -> None:
        """Let it go on to its next checkpoint, or until it waits for a lock that another one holds."""
        if self.ended or self._waits():
            return
        self._begun = True
        self._stopped.clear()
        self._go.release()
        while not self._stopped.wait(0.01):
            if waiting_for_locks():
                return

    def let_go(self) -> None:
        """Let it go on to its end."""
        self._go.release(_MANY)

    def finish(self) -> None:
        """Let it go on, and wait for its end. Others must not hold what it waits for."""
        self.let_go()
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error

    def _waits(self) -> bool:
        """It has been let go on, and has not come to its next checkpoint."""
        return self._begun and not self._stopped.is_set()

    def pause(self) -> None:
        self._stopped.set()
        assert self._go.acquire(timeout=SECONDS)

    def _run(self) -> None:
        try:
            assert self._go.acquire(timeout=SECONDS)
            self._act()
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.error = error
        finally:
            connections.close_all()
            self.ended = True
            self._stopped.set()


_current: dict[threading.Thread, Actor] = {}


def checkpoint() -> None:
    """Where an actor stops; elsewhere nothing."""
    actor = _current.get(threading.current_thread())
    if actor is not None:
        actor.pause()


def waiting_for_locks() -> bool:
    with connection.cursor() as cursor:
        # Other processes of the tests have databases of their own on the same server.
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database())"
        )
        return cursor.fetchone()[0]
