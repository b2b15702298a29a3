"""Processes that are forks of this one: they begin with all that it has loaded, and share its memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from symbolsvc.running.processes import die_with, rename

_POLL_SECONDS: Final = 0.01
# What a supervisor handles in its own way, and a process it forked has to handle anew.
_HANDLED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


class Forked:
    """A process by its id, with what of `subprocess.Popen` is of use."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        if self._status is None:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if found else None
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if end is not None and time.monotonic() >= end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(_POLL_SECONDS)
        return status

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Fork:
    """A process that calls `work` and ends, with status 1 after an exception. This process has to have one thread.

    It gets `death_signal` when this process ends, in whatever way. `stop_seconds`: how long it may take to end after
    SIGTERM. `leave` is called first: to let go of what is the forking process's.
    """

    name: str
    work: Callable[[], None]
    stop_seconds: float
    death_signal: signal.Signals = signal.SIGKILL
    leave: Callable[[], None] = lambda: None

    def launch(self) -> Forked:
        """Fork it. Raises OSError."""
        parent = os.getpid()
        # One that comes before the new process has handlers of its own waits until it has.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        try:
            pid = os.fork()
            if pid == 0:
                self._run(parent, blocked)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        return Forked(pid)

    def _run(self, parent: int, unblocked: set[int | signal.Signals]) -> None:
        """What the new process does: it never returns."""
        status = 1
        try:
            die_with(parent, self.death_signal)
            rename(self.name)
            signal.set_wakeup_fd(-1)
            for number in _HANDLED:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
            self.leave()
            self.work()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:  # noqa: BLE001 - nothing may run on as if it were the process that forked
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
