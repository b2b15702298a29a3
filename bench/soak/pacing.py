"""Requests at a steady pace, whatever the answers take: how long each took from the moment that it was due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    """One kind of client. `send` gets the number of the request; it raises, saying why, when something is wrong."""

    name: str
    per_second: float
    send: Callable[[int], None]
    at_once: int = 8


@dataclass(frozen=True)
class Outcome:
    """`due` in seconds since the beginning of the load; `seconds` from then to the end of the answer."""

    kind: str
    due: float
    seconds: float
    problem: str = ""


@dataclass
class Load:
    """Sends the kinds side by side for so many seconds; `outcomes` grows meanwhile."""

    kinds: Sequence[Kind]
    seconds: float
    outcomes: list[Outcome] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Return when all have been answered."""
        self.began = time.monotonic()
        senders = [threading.Thread(target=self._send, args=(kind,)) for kind in self.kinds]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()

    def _send(self, kind: Kind) -> None:
        with ThreadPoolExecutor(kind.at_once) as pool:
            for number in range(int(self.seconds * kind.per_second)):
                due = number / kind.per_second
                time.sleep(max(0.0, self.began + due - time.monotonic()))
                pool.submit(self._one, kind, number, due)

    def _one(self, kind: Kind, number: int, due: float) -> None:
        problem = ""
        try:
            kind.send(number)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is an outcome
            problem = f"{type(error).__name__}: {error}"[:300]
        self.outcomes.append(Outcome(kind.name, due, time.monotonic() - self.began - due, problem))
