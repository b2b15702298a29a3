"""One test of one source, from its host's name to a file. Stores nothing and is over after 15 seconds."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import msgspec

from engine.errors import FailureKind, LookupFailure
from engine.lookup.file_types import DEBUG_FILES
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline, Trust
from engine.outgoing.probe import Way
from engine.sourcetypes.base import FileType, Location, Source
from engine.sourcetypes.config import Filters, GcsConfig, HttpConfig, Layout, LayoutType, S3Config, SourceConfig
from engine.sourcetypes.filters import wanted_paths
from engine.sourcetypes.listing import can_list, list_paths
from engine.sourcetypes.registry import open_source
from sources.testing.layouts import WELL_KNOWN, guess_layout
from sources.testing.samples import kind_of, sample
from sources.testing.steps import TOO_SLOW, Step, StepName, Steps, said
from sources.testing.words import ALL_WELL, NOTHING_TO_DO, remedy

log = logging.getLogger(__name__)

TRIAL_SECONDS: Final = 15.0
MOST_PLACES: Final = 12
NOT_REACHED: Final = "An earlier step failed."
OUR_FAULT: Final = LookupFailure(FailureKind.NOT_CONFIGURED, "the test itself failed, see the service's log")
# A module that nobody has: whoever may read is told that it is missing.
_NOBODY: Final = Wanted(
    ModuleType.UNKNOWN, "0" * 40, "symbolsvc-test", DebugId.parse("0" * 31 + "1"), "symbolsvc-test.pdb", "sha256:0"
)
_REFUSED_CREDENTIALS: Final = ("401", "access key", "secret key", "service account", "credentials are not", "expired")


class SourceTestReport(msgspec.Struct, frozen=True):
    """`verdict` is `ok`, or what stands in the way; `layout` is the one that the files seem to have, if any was seen.

    `cause` and `remedy` are about the first step that failed.
    """

    verdict: str
    cause: str
    remedy: str
    steps: list[Step]
    layout: LayoutType | None


@dataclass
class Trial:
    """Walks through the steps; `report` can be asked at any time."""

    source: Source
    config: SourceConfig
    way: Way
    wanted: Wanted | None
    deadline: Deadline
    steps: Steps
    layout: LayoutType | None = None

    def walk(self) -> None:
        """All steps; each failure ends those that depend on it."""
        try:
            self._walk()
        except Exception:  # noqa: BLE001 - a thread of its own has nobody to raise to; the report tells
            log.exception("the test of a source failed")

    def _walk(self) -> None:
        if reach(self.way, self.steps) and self._authenticate():
            paths = self._list()
            self._file()
            self._guess(paths)
        self.steps.skip_rest(NOT_REACHED)

    def _authenticate(self) -> bool:
        """Ask for a file that nobody has: the answer tells what the credentials are good for."""
        began = time.monotonic()
        try:
            sample(self.source, self._nowhere(), _NOBODY, self.deadline)
        except LookupFailure as failure:
            return self._judge(failure, began)
        self.steps.ok(StepName.AUTHENTICATE, "The server answered.", began)
        self.steps.fail(
            StepName.READ,
            LookupFailure(FailureKind.MALFORMED, "the server answers files that it cannot have, where 404 is expected"),
            began,
        )
        return True

    def _judge(self, failure: LookupFailure, began: float) -> bool:
        if failure.kind is FailureKind.NOT_FOUND:
            self.steps.ok(StepName.AUTHENTICATE, "The server answered, and refused no credentials.", began)
            self.steps.ok(StepName.READ, "A file that nobody has is answered as missing.", began)
            return True
        refused = failure.kind is FailureKind.REFUSED
        if refused and any(words in failure.details for words in _REFUSED_CREDENTIALS):
            self.steps.fail(StepName.AUTHENTICATE, failure, began)
            return False
        self.steps.ok(StepName.AUTHENTICATE, "The server answered.", began)
        if refused and "may not list" in failure.details:
            # What may be read shows with a real file only.
            self.steps.skip(StepName.READ, said(failure))
            return True
        self.steps.fail(StepName.READ, failure, began)
        return refused

    def _list(self) -> Sequence[str]:
        if not can_list(self.source):
            self.steps.skip(StepName.LIST, "Web servers are not listed.")
            return ()
        found = self.steps.run(
            StepName.LIST,
            lambda: list_paths(self.source, self.deadline),
            lambda paths: f"{len(paths)} file(s) seen." if paths else "The list is empty: nothing lies at this prefix.",
        )
        return found or ()

    def _file(self) -> None:
        if self.wanted is None:
            self.steps.skip(StepName.FILE, "No module was given.")
            return
        self.steps.run(StepName.FILE, self._find, lambda text: text)

    def _find(self) -> str:
        """What was found where; tries the layout's places for the module one by one."""
        wanted = self.wanted
        if wanted is None:
            return ""
        places = [place for _, place in self.source.locate(wanted, _file_types(wanted), self.deadline)][:MOST_PLACES]
        if not places:
            text = "the layout has no place for this module, or a filter leaves it out: give more of its ids and names"
            raise LookupFailure(FailureKind.NOT_CONFIGURED, text)
        worst: LookupFailure | None = None
        for place in places:
            try:
                return (
                    f"{kind_of(sample(self.source, place, wanted, self.deadline)).capitalize()} lies at {place.path}."
                )
            except LookupFailure as failure:
                worst = failure if worst is None or worst.kind is FailureKind.NOT_FOUND else worst
        paths = ", ".join(place.path for place in places)
        details = worst.details.removeprefix("download failed: ") if worst else ""
        kind = worst.kind if worst else FailureKind.NOT_FOUND
        raise LookupFailure(kind, f"{details or 'not found'}; tried: {paths}")

    def _guess(self, paths: Sequence[str]) -> None:
        began = time.monotonic()
        try:
            self.layout = guess_layout(paths) if can_list(self.source) else self._layout_of_server()
        except LookupFailure as failure:
            self.steps.fail(StepName.LAYOUT, failure, began)
            return
        if self.layout is None:
            self.steps.skip(StepName.LAYOUT, "Nothing was seen that tells the layout.")
            return
        self.steps.ok(StepName.LAYOUT, f"What lies there fits the layout {self.layout.value}.", began)

    def _layout_of_server(self) -> LayoutType | None:
        """By files that stand for a layout, or by where the given module lies."""
        for path, layout in WELL_KNOWN.items():
            if self._has(path, _NOBODY):
                return layout
        wanted = self.wanted
        if wanted is None:
            return None
        asked: dict[str, LayoutType] = {}
        for layout in LayoutType:
            for _, path in wanted_paths(Filters(), Layout(type=layout), wanted, _file_types(wanted)):
                asked.setdefault(path, layout)
        own = self.config.layout.type if isinstance(self.config, HttpConfig) else None
        ordered = sorted(asked.items(), key=lambda pair: pair[1] is not own)
        return next((layout for path, layout in ordered if self._is_file(path, wanted)), None)

    def _has(self, path: str, wanted: Wanted) -> bool:
        try:
            return not sample(self.source, Location(path, ""), wanted, self.deadline)[:64].lstrip().startswith(b"<")
        except LookupFailure as failure:
            if failure.kind in (FailureKind.UNREACHABLE, FailureKind.TIMED_OUT):
                raise
            return False

    def _is_file(self, path: str, wanted: Wanted) -> bool:
        try:
            kind_of(sample(self.source, Location(path, ""), wanted, self.deadline))
        except LookupFailure as failure:
            if failure.kind in (FailureKind.UNREACHABLE, FailureKind.TIMED_OUT):
                raise
            return False
        return True

    def _nowhere(self) -> Location:
        return Location(f"symbolsvc-test/{secrets.token_hex(16)}/symbolsvc-test", "")


def run_trial(
    config: SourceConfig, *, owner: str, trust: Trust, wanted: Wanted | None, steps: Steps | None = None
) -> SourceTestReport:
    """Test a source and say what came of it, at the latest after 15 seconds.

    Others may watch the `steps` that they give while they are made.
    """
    deadline = Deadline.after(TRIAL_SECONDS)
    way = Way(_address(config), trust, deadline)
    # Hosts that are left alone are asked here all the same, and failures here are not held against them.
    source = open_source(
        config, owner=owner, trust=trust, digest_key=secrets.token_bytes(32), never_block=[_host(config)]
    )
    trial = Trial(source, config, way, wanted, deadline, Steps() if steps is None else steps)
    overdue = watched(trial.walk, deadline)
    return report(trial.steps, trial.layout, overdue=overdue, remedy=lambda step, failure: remedy(step, failure.kind))


def reach(way: Way, steps: Steps) -> bool:
    """The steps up to a connection; whether there is one."""
    found = steps.run(StepName.RESOLVE, way.resolve, lambda count: f"{way.host} leads to {count} address(es).")
    if found is None:
        return False
    if not way.secure:
        steps.skip(StepName.TLS, "The address is not an https one.")
    reached = steps.does(StepName.CONNECT, way.connect, "The connection was accepted.")
    if not reached or not way.secure:
        return reached
    return steps.does(StepName.TLS, way.handshake, "The certificate is accepted.")


def watched(walk: Callable[[], None], deadline: Deadline) -> bool:
    """Walk until the deadline; whether it is still going on then.

    Resolving a name cannot be interrupted: then the answer does not wait for the rest.
    """
    thread = threading.Thread(target=walk, name="source-test", daemon=True)
    thread.start()
    thread.join(deadline.remaining() + 0.5)
    return thread.is_alive()


def report(
    done: Steps,
    layout: LayoutType | None,
    *,
    overdue: bool,
    remedy: Callable[[StepName, LookupFailure], str],
) -> SourceTestReport:
    """What the steps say so far."""
    steps = Steps(list(done.done), done.failure)
    missing = next((name for name in StepName if name not in {step.step for step in steps.done}), None)
    if missing is not None and steps.failure is None:
        steps.fail(missing, TOO_SLOW if overdue else OUR_FAULT, time.monotonic())
    steps.skip_rest(NOT_REACHED)
    if steps.failure is None:
        return SourceTestReport("ok", ALL_WELL, NOTHING_TO_DO, steps.in_order(), layout)
    step, failure = steps.failure
    return SourceTestReport(failure.kind.value, said(failure), remedy(step, failure), steps.in_order(), layout)


def _file_types(wanted: Wanted) -> Sequence[FileType]:
    return DEBUG_FILES[wanted.type]


def _address(config: SourceConfig) -> str:
    """Where the connections of a source lead."""
    match config:
        case HttpConfig():
            return config.url
        case S3Config(region=(_, endpoint)):
            return endpoint
        case S3Config():
            return f"https://s3.{config.region}.amazonaws.com"
        case GcsConfig():
            return "https://storage.googleapis.com"
        case _:
            raise TypeError(f"{type(config).__name__} is not among the stored types")


def _host(config: SourceConfig) -> str:
    return urlsplit(_address(config)).hostname or ""
