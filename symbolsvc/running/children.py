"""The processes of the service, what each is started with, and how often it is started again."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from symbolsvc.running.processes import Process, end, spawn

_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 10.0
# A process that lived this long has recovered: its next end counts as the first again.
_HEALTHY_SECONDS: Final = 30.0
_AFTER_TERM_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One process. `stop_seconds` is how long it may take to end after SIGTERM."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    stop_seconds: float = 10.0
    death_signal: signal.Signals = signal.SIGKILL

    def launch(self) -> Process:
        """Start the program. Raises OSError."""
        return spawn(self.argv, death_signal=self.death_signal, env=self.env)


class Launching(Protocol):
    """What a child is started by: `Plan`, or what forks."""

    @property
    def name(self) -> str: ...
    @property
    def stop_seconds(self) -> float: ...
    def launch(self) -> Process: ...


@dataclass(slots=True)
class Child:
    """A process that is started again when it ends, after a growing pause."""

    plan: Launching
    process: Process | None = None
    failures: int = 0
    started: float = 0.0
    next_start: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Start it now. Raises OSError."""
        self.process = self.plan.launch()
        self.started = time.monotonic()

    def ended(self) -> int | None:
        """Its exit status, once, when it has ended by itself; the time of its next start is set then."""
        if self.process is None or self.process.poll() is None:
            return None
        status = self.process.wait(0)
        self.process = None
        healthy = time.monotonic() - self.started > _HEALTHY_SECONDS
        self.failures = 1 if healthy else self.failures + 1
        self.next_start = time.monotonic() + self.delay
        return status

    @property
    def delay(self) -> float:
        """Seconds until it is started again."""
        return min(_FIRST_DELAY * float(2 ** min(self.failures - 1, 10)), _LONGEST_DELAY)

    def due(self) -> bool:
        """Whether it does not run and is to be started."""
        return self.process is None and time.monotonic() >= self.next_start

    def ask_to_stop(self) -> None:
        """SIGTERM, without waiting."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self, seconds: float) -> None:
        """Wait for its end after `ask_to_stop`, then make sure of it."""
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            end(self.process, [(signal.SIGTERM, 0.0)])
        self.process = None
