"""Why a module has no names, or doubtful ones, or no unwind rules: the verdict on a lookup, and its tries.

A verdict says what stands in the way, its aspect what kind of that it is; both together choose the words that people
read (elsewhere: these words name settings and pages that a lookup does not know).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from engine.lookup.absences import Absence, absence
from engine.lookup.model import (
    Candidate,
    CficacheAnswer,
    FileAnswer,
    ModuleStatus,
    Outcome,
    Purpose,
    TryRecord,
    UseStatus,
)
from engine.lookup.objects import CACHE_FULL
from engine.modules import Wanted
from engine.sourcetypes.config import SourceConfig


class Verdict(StrEnum):
    FOUND = "found"
    WRONG_ID = "wrong_id"
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    NOT_CONFIGURED = "not_configured"
    NO_DEBUG_INFO = "no_debug_info"
    NO_UNWIND_INFO = "no_unwind_info"
    UNSUPPORTED = "unsupported"
    FILTERED_OUT = "filtered_out"
    NO_LOCATION = "no_location"
    NO_IDS = "no_ids"
    NO_SOURCES = "no_sources"
    SOURCE_DISABLED = "source_disabled"
    INTERNAL_ERROR = "internal_error"


class Aspect(StrEnum):
    PLAIN = "plain"
    LEFT_ALONE = "left_alone"
    RESTRICTED = "restricted"
    NAME = "name"
    TLS = "tls"
    NO_LISTENER = "no_listener"
    SERVER_ERROR = "server_error"
    CREDENTIALS = "credentials"
    LOGIN_PAGE = "login_page"
    LISTING = "listing"
    READING = "reading"
    BUCKET = "bucket"
    REGION = "region"
    CONVERSION = "conversion"
    SOME_DISABLED = "some_disabled"
    CACHE_FULL = "cache_full"
    UNWINDING = "unwinding"


# The aspects that each verdict can have; those that are not named here have the plain one alone.
ASPECTS: dict[Verdict, tuple[Aspect, ...]] = dict.fromkeys(Verdict, (Aspect.PLAIN,)) | {
    Verdict.UNREACHABLE: (
        Aspect.PLAIN,
        Aspect.LEFT_ALONE,
        Aspect.RESTRICTED,
        Aspect.NAME,
        Aspect.TLS,
        Aspect.NO_LISTENER,
        Aspect.SERVER_ERROR,
    ),
    Verdict.REFUSED: (
        Aspect.PLAIN,
        Aspect.CREDENTIALS,
        Aspect.LOGIN_PAGE,
        Aspect.LISTING,
        Aspect.READING,
        Aspect.BUCKET,
        Aspect.REGION,
    ),
    Verdict.FOUND: (Aspect.PLAIN, Aspect.UNWINDING),
    Verdict.WRONG_ID: (Aspect.PLAIN, Aspect.UNWINDING),
    Verdict.MALFORMED: (Aspect.PLAIN, Aspect.CONVERSION, Aspect.UNWINDING),
    Verdict.NO_UNWIND_INFO: (Aspect.UNWINDING,),
    Verdict.NOT_FOUND: (Aspect.PLAIN, Aspect.SOME_DISABLED),
    Verdict.INTERNAL_ERROR: (Aspect.PLAIN, Aspect.CACHE_FULL),
}

# How our own texts about failures begin or what they hold, first match wins.
_UNREACHABLE = (
    ("destination is restricted", Aspect.RESTRICTED),
    ("host name cannot be resolved", Aspect.NAME),
    ("TLS connection", Aspect.TLS),
    ("connection refused", Aspect.NO_LISTENER),
    ("download failed: 5", Aspect.SERVER_ERROR),
)
_REFUSED = (
    ("may not list the bucket", Aspect.LISTING),
    ("may list the bucket but not read", Aspect.READING),
    ("bucket does not exist", Aspect.BUCKET),
    ("another region", Aspect.REGION),
    ("in the region", Aspect.REGION),
    ("login page", Aspect.LOGIN_PAGE),
    ("401", Aspect.CREDENTIALS),
    ("access key", Aspect.CREDENTIALS),
    ("credentials", Aspect.CREDENTIALS),
    ("service account", Aspect.CREDENTIALS),
)
# What counts most when tries failed in several ways: what is ours, then what hides or spoils a file that may be there.
_WEIGHT = (
    Outcome.INTERNAL_ERROR,
    Outcome.MALFORMED,
    Outcome.TOO_LARGE,
    Outcome.REFUSED,
    Outcome.TIMED_OUT,
    Outcome.UNREACHABLE,
    Outcome.NOT_CONFIGURED,
    Outcome.WRONG_ID,
    Outcome.FOUND,
    Outcome.NOT_FOUND,
)
_WITHOUT_DEBUG_INFO = frozenset({Outcome.FOUND, Outcome.WRONG_ID})


@dataclass(frozen=True, slots=True)
class Asked:
    """A source that lookups ask. `name` is what people call it; the files uploaded to a project have no `config`."""

    id: str
    name: str
    config: SourceConfig | None


@dataclass(frozen=True, slots=True)
class Unasked:
    """A stored source that no lookup asks, and why."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class SourceTries:
    """What came of asking one source. Without tries, `absence` says why there are none."""

    source: Asked
    tries: tuple[Candidate, ...]
    absence: Absence | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The verdict; `culprit` is the try that it rests on most, with the source it was made at."""

    verdict: Verdict
    aspect: Aspect
    sources: tuple[SourceTries, ...]
    unasked: tuple[Unasked, ...]
    culprit: Candidate | None = None
    source: Asked | None = None

    @property
    def host(self) -> str:
        """The host (or bucket) of the culprit, empty without one."""
        return urlsplit(self.culprit.location).hostname or "" if self.culprit else ""

    @property
    def record(self) -> TryRecord | None:
        return self.culprit.record if self.culprit else None


def diagnose(answer: FileAnswer, wanted: Wanted, asked: Sequence[Asked], unasked: Sequence[Unasked] = ()) -> Diagnosis:
    """The verdict on one lookup, for names or for unwind rules. `asked` are the sources in the order of asking."""
    purpose = _purpose(answer)
    rows = tuple(_tries(source, answer.candidates, wanted) for source in asked)
    tries = [row for source in rows for row in source.tries]
    verdict, aspect, culprit = (
        _used(answer, tries) or _failed(tries, unasked, purpose) or _untried(answer, rows, wanted, unasked)
    )
    source = next((one for one in asked if culprit and one.id == culprit.source), None)
    return Diagnosis(verdict, aspect, rows, tuple(unasked), culprit, source)


_Judged = tuple[Verdict, Aspect, Candidate | None]


def _tries(source: Asked, candidates: Sequence[Candidate], wanted: Wanted) -> SourceTries:
    own = tuple(row for row in candidates if row.source == source.id and row.record is not None)
    return SourceTries(source, own, None if own else absence(source.config, wanted))


def _purpose(answer: FileAnswer) -> Purpose:
    return Purpose.UNWIND if isinstance(answer, CficacheAnswer) else Purpose.DEBUG


def _used(answer: FileAnswer, tries: Sequence[Candidate]) -> _Judged | None:
    """The verdict when a file was good enough to be used, or at least to be tried."""
    purpose = _purpose(answer)
    used = next((row for row in tries if row.use(purpose) is not None and _came(row)), None)
    use = used.use(purpose) if used else None
    if used is None or used.record is None or use is None:
        return None
    unwinding = purpose is Purpose.UNWIND
    if answer.status is ModuleStatus.FOUND:
        wrong = used.record.outcome is Outcome.WRONG_ID
        return (
            Verdict.WRONG_ID if wrong else Verdict.FOUND,
            Aspect.UNWINDING if unwinding else Aspect.PLAIN,
            used,
        )
    if answer.status is ModuleStatus.UNSUPPORTED:
        return Verdict.UNSUPPORTED, Aspect.PLAIN, used
    if use.status is UseStatus.MALFORMED:
        return Verdict.MALFORMED, Aspect.UNWINDING if unwinding else Aspect.CONVERSION, used
    return Verdict.INTERNAL_ERROR, _aspect_of_internal(use.details or ""), used


def _came(row: Candidate) -> bool:
    return row.record is not None and row.record.outcome in _WITHOUT_DEBUG_INFO


def _failed(tries: Sequence[Candidate], unasked: Sequence[Unasked], purpose: Purpose) -> _Judged | None:
    """The verdict when files were asked for, and none was of use."""
    known = [row for row in tries if row.record is not None]
    if not known:
        return None
    culprit = min(known, key=lambda row: _WEIGHT.index(row.record.outcome) if row.record else len(_WEIGHT))
    record = culprit.record
    if record is None:
        return None
    if record.outcome in _WITHOUT_DEBUG_INFO:
        if purpose is Purpose.UNWIND:
            return Verdict.NO_UNWIND_INFO, Aspect.UNWINDING, culprit
        return Verdict.NO_DEBUG_INFO, Aspect.PLAIN, culprit
    verdict = Verdict(record.outcome.value)
    return verdict, _aspect(verdict, record, unasked), culprit


def _aspect(verdict: Verdict, record: TryRecord, unasked: Sequence[Unasked]) -> Aspect:
    match verdict:
        case Verdict.UNREACHABLE:
            return Aspect.LEFT_ALONE if record.left_alone else aspect_of_failure(verdict, record.details)
        case Verdict.REFUSED:
            return aspect_of_failure(verdict, record.details)
        case Verdict.INTERNAL_ERROR:
            return _aspect_of_internal(record.details)
        case Verdict.NOT_FOUND if unasked:
            return Aspect.SOME_DISABLED
        case _:
            return Aspect.PLAIN


def _aspect_of_internal(details: str) -> Aspect:
    return Aspect.CACHE_FULL if details == CACHE_FULL else Aspect.PLAIN


def aspect_of_failure(verdict: Verdict, details: str) -> Aspect:
    """What the details of a failed download say about its verdict."""
    tables = {Verdict.UNREACHABLE: _UNREACHABLE, Verdict.REFUSED: _REFUSED}
    return _first(tables.get(verdict, ()), details)


def _first(table: Sequence[tuple[str, Aspect]], details: str) -> Aspect:
    return next((aspect for words, aspect in table if words in details), Aspect.PLAIN)


def _untried(answer: FileAnswer, rows: Sequence[SourceTries], wanted: Wanted, unasked: Sequence[Unasked]) -> _Judged:
    """The verdict when there was nothing to ask for."""
    if not rows:
        return Verdict.SOURCE_DISABLED if unasked else Verdict.NO_SOURCES, Aspect.PLAIN, None
    if answer.status is ModuleStatus.OTHER:
        return Verdict.INTERNAL_ERROR, Aspect.PLAIN, None
    if wanted.debug_id is None and wanted.code_id is None:
        return Verdict.NO_IDS, Aspect.PLAIN, None
    reasons = {row.absence for row in rows}
    if Absence.NOT_LISTED in reasons:
        return Verdict.NOT_FOUND, Aspect.SOME_DISABLED if unasked else Aspect.PLAIN, None
    filtered = any(reason is not None and reason.filtered for reason in reasons)
    return Verdict.FILTERED_OUT if filtered else Verdict.NO_LOCATION, Aspect.PLAIN, None
