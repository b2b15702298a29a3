"""The steps of a test, timed and told one by one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from engine.errors import DeadlineExceeded, FailureKind, LookupFailure

Result = TypeVar("Result")
TOO_SLOW = LookupFailure(FailureKind.TIMED_OUT, "the time for the test is over")


class StepName(StrEnum):
    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    AUTHENTICATE = "authenticate"
    LIST = "list"
    READ = "read"
    FILE = "file"
    LAYOUT = "layout"


class StepStatus(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class Step(msgspec.Struct, frozen=True):
    """One step: whether it worked, how long it took, and what came of it."""

    step: StepName
    status: StepStatus
    milliseconds: int
    text: str


@dataclass(slots=True)
class Steps:
    """The steps so far; `failure` is the first thing that went wrong, with the step it happened in."""

    done: list[Step] = field(default_factory=list)
    failure: tuple[StepName, LookupFailure] | None = None

    def run(self, name: StepName, act: Callable[[], Result], text: Callable[[Result], str]) -> Result | None:
        """Do a step; None when it failed."""
        began = time.monotonic()
        try:
            result = act()
        except (LookupFailure, DeadlineExceeded) as error:
            failure = error if isinstance(error, LookupFailure) else TOO_SLOW
            self.fail(name, failure, began)
            return None
        self._add(name, StepStatus.OK, text(result), began)
        return result

    def does(self, name: StepName, act: Callable[[], None], text: str) -> bool:
        """Do a step that gives nothing; whether it worked."""

        def done() -> bool:
            act()
            return True

        return bool(self.run(name, done, lambda _: text))

    def fail(self, name: StepName, failure: LookupFailure, began: float) -> None:
        self._add(name, StepStatus.FAILED, said(failure), began)
        self.failure = self.failure or (name, failure)

    def ok(self, name: StepName, text: str, began: float) -> None:
        self._add(name, StepStatus.OK, text, began)

    def skip(self, name: StepName, text: str) -> None:
        self._add(name, StepStatus.SKIPPED, text, time.monotonic())

    def skip_rest(self, text: str) -> None:
        """Every step that was not done, in order, for one reason."""
        known = {step.step for step in self.done}
        for name in StepName:
            if name not in known:
                self.skip(name, text)

    def in_order(self) -> list[Step]:
        order: dict[Any, int] = {name: number for number, name in enumerate(StepName)}
        return sorted(self.done, key=lambda step: order[step.step])

    def _add(self, name: StepName, status: StepStatus, text: str, began: float) -> None:
        self.done.append(Step(name, status, int((time.monotonic() - began) * 1000), text))


def said(failure: LookupFailure) -> str:
    """The failure for people, beginning like a sentence."""
    text = failure.details.removeprefix("download failed: ") or failure.kind.value.replace("_", " ")
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
