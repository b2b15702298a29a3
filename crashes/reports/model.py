"""What comes of looking into a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crashes.again.lacks import Lack
from crashes.results import Result
from engine.errors import SymbolsvcError

# Of all stacks of a report together; what comes on top is left out, and the result says so.
MOST_FRAMES: Final = 250_000


class UnreadableReport(SymbolsvcError):
    """A report that cannot be read, now or ever: trying again does not help. The message never quotes the report."""

    code = "unreadable_report"


@dataclass(frozen=True, slots=True)
class Facts:
    """What lists show of a crash and filters ask, cut to what the columns hold.

    `frame_count` counts the frames of all stacks, inlined ones too; `unnamed_count` those that should have a name (in
    terms of the sources) and have none.
    """

    platform: str = ""
    version: str = ""
    os_name: str = ""
    arch: str = ""
    frame_count: int = 0
    unnamed_count: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a report says, symbolicated; and the files that were asked for in vain."""

    result: Result
    facts: Facts
    lacks: tuple[Lack, ...]
