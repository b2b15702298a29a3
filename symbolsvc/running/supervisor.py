"""Keeps processes running until it is told to stop, and then stops them in order."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from engine.errors import SymbolsvcError
from symbolsvc.running.children import Child, Launching
from symbolsvc.running.postgres import Server

_LONGEST_PAUSE: Final = 1.0
_WATCH_PAUSE: Final = 0.02
# What ends this often before it was ever of use will not get better by trying.
_HOPELESS_FAILURES: Final = 4
# Of a process that cannot run with the settings that it has.
_MISCONFIGURED: Final = 2


class GaveUp(SymbolsvcError):
    """A process does not come up."""

    code = "gave_up"


def log(event: str, who: str = "up") -> None:
    """One line to stderr."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    sys.stderr.write(f"{stamp} [{who}] {event}\n")
    sys.stderr.flush()


class Supervisor:
    """Children in groups: the groups are stopped one after the other, the last started first.

    SIGTERM and SIGINT end it in good order; a second one at once.
    """

    def __init__(self, database: Server | None = None, who: str = "up") -> None:
        self._database = database
        self._who = who
        self._groups: list[list[Child]] = []
        self._signals = 0
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.ready = False

    def __enter__(self) -> Supervisor:
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for group in reversed(self._groups):
            self._stop(group)
        if self._database is not None:
            self._database.stop()

    def leave(self) -> None:
        """Let go of what wakes the supervisor; to be called by a process that was forked from it."""
        os.close(self._wake_read)
        os.close(self._wake_write)
        if self._database is not None:
            self._database.leave()

    def proceed(self) -> bool:
        """Whether nobody has asked to stop."""
        return self._signals == 0

    def start(self, plans: Sequence[Launching]) -> None:
        """Start a group of processes and keep them running from here on."""
        group = [Child(plan) for plan in plans]
        self._groups.append(group)
        for child in group:
            child.start()

    def wait_until(self, condition: Callable[[], bool]) -> bool:
        """Keep everything running until `condition` is true; False when told to stop before."""
        while self.proceed():
            self._watch()
            if condition():
                return True
            self._pause(_WATCH_PAUSE)
        return False

    def run(self) -> None:
        """Keep everything running until told to stop."""
        while self.proceed():
            self._pause(self._watch())

    def _on_signal(self, *_: Any) -> None:
        self._signals += 1

    def _pause(self, seconds: float) -> None:
        readable, _, _ = select.select([self._wake_read], [], [], seconds)
        if readable:
            os.read(self._wake_read, 4096)

    def _watch(self) -> float:
        """Start again what has ended; how long to wait before looking again, unless a child ends."""
        self._watch_database()
        pause = _LONGEST_PAUSE
        for child in (child for group in self._groups for child in group):
            self._note_end(child)
            if child.due():
                child.start()
            elif child.process is None:
                pause = min(pause, max(child.next_start - time.monotonic(), _WATCH_PAUSE))
        return pause

    def _note_end(self, child: Child) -> None:
        status = child.ended()
        if status is None:
            return
        if not self.ready and (status == _MISCONFIGURED or child.failures >= _HOPELESS_FAILURES):
            raise GaveUp(f"{child.plan.name} does not start; its messages are above.")
        log(f"{child.plan.name} ended with status {status}, starting it again in {child.delay:.1f} s", self._who)

    def _watch_database(self) -> None:
        database = self._database
        if database is None or database.process is None or database.process.poll() is None:
            return
        log(f"database ended with status {database.process.returncode}, starting it again")
        database.start(self.proceed)

    def _stop(self, group: Sequence[Child]) -> None:
        for child in group:
            child.ask_to_stop()
        asked = time.monotonic()
        for child in group:
            self._await_end(child, asked + child.plan.stop_seconds)

    def _await_end(self, child: Child, deadline: float) -> None:
        while child.process is not None and child.process.poll() is None and time.monotonic() < deadline:
            if self._signals > 1:
                break
            self._pause(_WATCH_PAUSE)
        child.stop(0)
