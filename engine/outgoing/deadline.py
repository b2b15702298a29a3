"""How long a piece of work may still take."""

from __future__ import annotations

import time
from dataclasses import dataclass

from engine.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point of the monotonic clock, in seconds, after which nobody waits for the answer."""

    end: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    @classmethod
    def never(cls) -> Deadline:
        return cls(float("inf"))

    def remaining(self) -> float:
        """Seconds left, never negative; infinite when there is no end."""
        return max(0.0, self.end - time.monotonic())

    def check(self) -> None:
        """Raise DeadlineExceeded once the time is over."""
        if self.end <= time.monotonic():
            raise DeadlineExceeded("the time for this request is over")

    def at_most(self, seconds: float) -> Deadline:
        """This deadline or the one `seconds` from now, whichever comes first."""
        return Deadline(min(self.end, time.monotonic() + seconds))
