"""Far more at once than the service takes: what is refused, how fast, and how soon all is well again."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from bench.load import Result, Target, run
from bench.soak.world import World

CONNECTIONS = 400
CALM_SECONDS = 120.0


@dataclass(frozen=True)
class Flood:
    """Seconds throughout. `livez` is the slowest answer of the health check meanwhile; `calm` when a usual request
    was answered as fast as usual again, `drained` when no crash waited any more, both from the end of the flood."""

    seconds: float
    answered: int
    refused: int
    refused_median: float
    refused_most: float
    livez: float
    calm: float
    drained: float


def flood(world: World, body: bytes, seconds: float, waiting: Callable[[], float]) -> Flood:
    """Keep so many requests at once coming; `waiting` gives the age of the queue in seconds."""
    target = Target(world.tenant.symbolicate_url, body, world.tenant.token)
    with _Health(f"{world.tenant.url}/livez") as health:
        result = run(target, connections=CONNECTIONS, seconds=seconds)
    ended = time.monotonic()
    calm = _until(lambda: _quick(world), ended)
    drained = _until(lambda: waiting() == 0.0, ended)
    return _told(result, health.slowest, calm, drained)


def _told(result: Result, livez: float, calm: float, drained: float) -> Flood:
    refused = sorted(result.refused) or [0.0]
    answered = len(result.latencies) - len(result.refused)
    median = refused[len(refused) // 2]
    return Flood(result.seconds, answered, len(result.refused), median, refused[-1], livez, calm, drained)


def _quick(world: World) -> bool:
    began = time.monotonic()
    world.symbolicate(0)
    return time.monotonic() - began < 0.25


def _until(condition: Callable[[], bool], ended: float) -> float:
    """Seconds from `ended` until it holds; infinite when it takes too long."""
    while time.monotonic() - ended < CALM_SECONDS:
        try:
            if condition():
                return time.monotonic() - ended
        except Exception:  # noqa: BLE001 - refused or cut off: not calm yet
            time.sleep(0.2)
        time.sleep(0.05)
    return float("inf")


class _Health:
    """Asks an address twice a second; `slowest`, in seconds, infinite when it failed once."""

    def __init__(self, url: str) -> None:
        self.url, self.slowest, self._end = url, 0.0, threading.Event()

    def __enter__(self) -> _Health:
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._end.wait(0.5):
            began = time.monotonic()
            try:
                with urllib.request.urlopen(self.url, timeout=30) as answer:
                    answer.read()
            except (OSError, urllib.error.URLError):
                self.slowest = float("inf")
            self.slowest = max(self.slowest, time.monotonic() - began)
