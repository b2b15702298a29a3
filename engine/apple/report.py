"""What a crash report of Apple's systems says, whichever of the three formats it came in."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from engine.errors import BadReport

UNREADABLE = "failed to parse apple crash report"
UNKNOWN_ARCH = "unknown"
LAST_EXCEPTION = "Last Exception Backtrace"
# More than any real report has; what is beyond is made to cost us.
MAX_FRAMES = 200_000
MAX_IMAGES = 20_000
MAX_THREADS = 20_000


class UnreadableReport(BadReport):
    """A crash report that breaks the rules of its format.

    The message is the one that the wire protocol has for all of them; `detail` says what is wrong, for people.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(UNREADABLE)
        self.detail = detail


class WrongKindOfReport(BadReport):
    """A well-formed report of Apple's that holds no stack to symbolicate; the message says what it is."""


@dataclass(frozen=True, slots=True)
class AppleSystem:
    """Where the process ran. Everything the report does not say is empty, `cpu_arch` then is `unknown`."""

    os_name: str = ""
    os_version: str = ""
    os_build: str = ""
    cpu_arch: str = UNKNOWN_ARCH
    device_model: str = ""


@dataclass(frozen=True, slots=True)
class AppleFrame:
    """One frame: an absolute address as the report has it, the module's name, and the name the report itself gives."""

    address: int
    package: str | None = None
    symbol: str | None = None


@dataclass(frozen=True, slots=True)
class AppleThread:
    """One thread, innermost frame first.

    `id` is the number that the report gives it. The stack from which an uncaught exception was thrown is a thread
    more, at the end: its name is LAST_EXCEPTION and it has no id. `queue` is the dispatch queue.
    """

    id: int | None
    name: str | None
    crashed: bool
    registers: dict[str, int]
    frames: tuple[AppleFrame, ...]
    queue: str | None = None

    @property
    def is_thrown(self) -> bool:
        """Whether it is the stack of an exception: all of its addresses are return addresses, the first one too."""
        return self.id is None


@dataclass(frozen=True, slots=True)
class AppleImage:
    """One loaded binary: its path (its name where the report has no path), absolute start, size in bytes."""

    path: str
    uuid: UUID | None
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class AppleReport:
    """A whole report. `timestamp` in seconds since the epoch."""

    timestamp: int | None
    system: AppleSystem
    crash_reason: str | None
    crash_details: str | None
    threads: tuple[AppleThread, ...]
    images: tuple[AppleImage, ...]


def exception_thread(frames: tuple[AppleFrame, ...]) -> tuple[AppleThread, ...]:
    """The thread that stands for the stack of an exception, none when it has no frames."""
    return (AppleThread(None, LAST_EXCEPTION, False, {}, frames),) if frames else ()
