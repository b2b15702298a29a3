"""What a target is: a parser, what it may say to bad input, and where its inputs begin."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from types import FrameType

# Of one input; the slowest honest one takes a fiftieth of that.
MOST_CPU_SECONDS = 10.0
MOST_BYTES = 1 << 20


class Shape(Enum):
    """How the inputs of a target are bent, besides byte by byte."""

    BYTES = auto()
    JSON = auto()
    LINES = auto()


@dataclass(frozen=True, slots=True)
class Target:
    """One parser under test.

    `check` reads one input and asserts what has to hold; the errors of `refusals` are the parser's honest no, any
    other one is a finding. `words` are pieces that its inputs are made of. `runs` is how many inputs the tests take.
    """

    name: str
    seeds: Callable[[], Sequence[bytes]]
    check: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()
    shape: Shape = Shape.BYTES
    words: Sequence[bytes] = ()
    runs: int = 200


class TooSlow(BaseException):
    """One input took more processor time than any may. No Exception, so that no parser takes it for a bad input."""


def run_one(target: Target, data: bytes) -> None:
    """Give a target one input. Raises whatever is a finding: TooSlow, a failed assertion, an error nobody declared."""
    with _bounded(target.name):
        try:
            target.check(data)
        except target.refusals:
            return


@contextmanager
def _bounded(name: str) -> Iterator[None]:
    """Processor time and not the clock's: a loaded machine makes no finding."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"{name}: one input took more than {MOST_CPU_SECONDS:g} seconds of processor time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
