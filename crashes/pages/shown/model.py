"""What templates need, ready to be written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crashes.results import Failure, System


@dataclass(frozen=True, slots=True)
class Mark:
    """A word with its weight: `kind` is good, warn, bad, info or empty; `title` says it in a sentence."""

    text: str
    kind: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """One file that was asked for. Times are text in UTC, empty where there is none."""

    path: str
    mark: Mark
    fetched_at: str = ""
    next_try_at: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class AskedSource:
    """A source with what was asked of it; `note`: why nothing was. `is_uploads`: the project's own files."""

    id: str
    name: str
    note: str
    tries: Sequence[Try]
    is_uploads: bool = False


@dataclass(frozen=True, slots=True)
class Why:
    """Why something has no name, or is guessed, and what mends it. `more` are further facts by name."""

    cause: str
    remedy: str = ""
    verdict: str = ""
    sources: Sequence[AskedSource] = ()
    more: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class SourceLine:
    number: int | None
    text: str
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """A frame. `name` is the function, or where the address lies for want of one (`named` is False then).

    `place` is file and line as short as they can be, `path` the whole of it. `module_index` leads to the module whose
    diagnosis says why there is no name; `why` is the frame's own.
    """

    number: int
    name: str
    named: bool
    place: str
    path: str
    module: str
    address: str
    marks: Sequence[Mark]
    inline: bool
    in_app: bool
    lines: Sequence[SourceLine] = ()
    link: str = ""
    raw_name: str = ""
    module_index: int | None = None
    why: Why | None = None

    @property
    def has_more(self) -> bool:
        """Whether there is something to open below it."""
        return bool(self.lines or self.raw_name or self.path)


@dataclass(frozen=True, slots=True)
class ShownThread:
    """A thread; `frames` is empty for one that is folded, `summary` says where it stands."""

    index: int
    title: str
    crashed: bool
    frame_count: int
    summary: str
    frames: Sequence[ShownFrame] = ()
    registers: Sequence[tuple[str, str]] = ()
    why: Why | None = None
    guessed_from: int | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class ShownModule:
    """A module. `marks` are how its names and unwind rules were found; `why` what is to be said about it."""

    index: int
    name: str
    path: str
    debug_file: str
    debug_id: str
    code_id: str
    start: str
    size: int | None
    marks: Sequence[Mark]
    why: Why | None
    used: bool

    @property
    def words(self) -> str:
        """What a search looks in, in lower case."""
        return " ".join((self.path, self.debug_file, self.debug_id, self.code_id, self.start)).lower()


@dataclass(frozen=True, slots=True)
class ShownResult:
    """A result: the crashed thread with its frames, the others folded but for those that are asked for."""

    reason: str
    details: Sequence[tuple[str, str]]
    failures: Sequence[Failure]
    system: System
    threads: Sequence[ShownThread]
    modules: Sequence[ShownModule]
    problems: Sequence[str]
    unnamed: int
    annotations: dict[str, Any] = field(default_factory=dict)

    @property
    def lacking(self) -> list[ShownModule]:
        """Modules that frames lie in and that something is to be said about."""
        return [module for module in self.modules if module.used and module.why is not None]

    @property
    def crashed(self) -> ShownThread | None:
        return next((thread for thread in self.threads if thread.crashed), self.threads[0] if self.threads else None)
