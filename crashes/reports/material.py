"""What a report in JSON says, in one form for all clients, before anything of it is symbolicated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from crashes.reports.model import MOST_FRAMES
from crashes.results import Failure, Frame, System


class Kind(StrEnum):
    """By whom a frame is symbolicated. SENT: by nobody, the client named it."""

    SENT = "sent"
    NATIVE = "native"
    JAVASCRIPT = "javascript"
    JVM = "jvm"


@dataclass(slots=True)
class Given:
    """A frame as it came. `made` is what it became: several frames where functions were inlined, innermost first.

    `language` chooses the rules by which it is the application's own or not. `address` is absolute, unless `frame` has
    an `addr_mode`.
    """

    frame: Frame
    kind: Kind = Kind.SENT
    language: str = ""
    address: int | None = None
    made: list[Frame] = field(default_factory=list)

    @property
    def frames(self) -> list[Frame]:
        """What it became, or itself."""
        return self.made or [self.frame]


@dataclass(slots=True)
class GivenStack:
    """A stack, innermost frame first. `exact`: no frame's address is to be moved back to the call before it."""

    frames: list[Given]
    id: str = ""
    name: str = ""
    crashed: bool = False
    registers: dict[str, str] = field(default_factory=dict)
    adjustment: str = ""

    def of_kind(self, kind: Kind) -> list[tuple[int, Given]]:
        """Its frames of one kind, with their places."""
        return [(at, given) for at, given in enumerate(self.frames) if given.kind is kind]


@dataclass(slots=True)
class Material:
    """A report. `modules` are native ones as in a request; `scripts` are debug ids by the path of a script.

    `mappings` and `bundles` are the ids of ProGuard mappings and of bundles of JVM sources. Annotations are scrubbed.
    """

    platform: str
    stacks: list[GivenStack]
    modules: list[dict[str, Any]] = field(default_factory=list)
    scripts: dict[str, str] = field(default_factory=dict)
    mappings: list[UUID] = field(default_factory=list)
    bundles: list[UUID] = field(default_factory=list)
    release: str = ""
    dist: str = ""
    version: str = ""
    signal: int | None = None
    reason: str = ""
    failures: list[Failure] = field(default_factory=list)
    annotations: dict[str, Any] = field(default_factory=dict)
    system: System = field(default_factory=System)
    timestamp: float | None = None
    problems: list[str] = field(default_factory=list)

    def has(self, kind: Kind) -> bool:
        """Whether any frame is of a kind."""
        return any(given.kind is kind for stack in self.stacks for given in stack.frames)

    def given(self) -> Iterator[Given]:
        """The frames of all stacks."""
        for stack in self.stacks:
            yield from stack.frames

    def bound(self) -> None:
        """Leave out what is too much: the crashed stack is kept before others."""
        left = MOST_FRAMES
        cut = 0
        for stack in sorted(self.stacks, key=lambda stack: not stack.crashed):
            cut += max(0, len(stack.frames) - left)
            del stack.frames[left:]
            left -= len(stack.frames)
        if cut:
            self.problems.append(f"The report has more than {MOST_FRAMES:,} frames: {cut:,} are left out.")
