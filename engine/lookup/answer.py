"""From the tries of a lookup to its answer: candidates, statuses, texts."""

from __future__ import annotations

from dataclasses import dataclass

from engine.caches import Miss
from engine.convert.wire import ObjectFacts
from engine.errors import FailureKind
from engine.lookup.model import Candidate, Download, DownloadStatus, Features, ModuleStatus, Purpose, Use, UseStatus
from engine.lookup.objects import CACHE_FULL, PDB, InternalFailure, ObjectFile, Outcome, Place, choose_object
from engine.lookup.records import record_of
from engine.modules import ModuleType

INTERNAL = "internal error"
DOTNET_NEEDS_PORTABLE = "unsupported: Only portable PDB files can be used for .NET symbolication"
NOT_NATIVE = "unsupported: files of this kind hold no native debug information"
PORTABLE_PDB = "portablepdb"
SOURCE_BUNDLE = "sourcebundle"
_NOT_NATIVE = frozenset({PORTABLE_PDB, SOURCE_BUNDLE})

_MODULE_STATUS = {
    FailureKind.NOT_FOUND: ModuleStatus.MISSING,
    FailureKind.REFUSED: ModuleStatus.FETCHING_FAILED,
    FailureKind.UNREACHABLE: ModuleStatus.FETCHING_FAILED,
    FailureKind.NOT_CONFIGURED: ModuleStatus.FETCHING_FAILED,
    FailureKind.TIMED_OUT: ModuleStatus.TIMEOUT,
    FailureKind.MALFORMED: ModuleStatus.MALFORMED,
    FailureKind.TOO_LARGE: ModuleStatus.MALFORMED,
}


@dataclass(frozen=True, slots=True)
class Try:
    """One place and what came of it; `facts` is the object that belongs to the module, if the file has one."""

    place: Place
    outcome: Outcome
    facts: ObjectFacts | None

    @classmethod
    def of(cls, place: Place, outcome: Outcome) -> Try:
        facts = choose_object(outcome, place.wanted) if isinstance(outcome, ObjectFile) else None
        return cls(place, outcome, facts)

    @property
    def features(self) -> Features:
        """What the module's object offers, nothing without one."""
        if self.facts is None or not isinstance(self.outcome, ObjectFile):
            return Features()
        known = self.facts.features
        return Features(
            has_debug_info="debug" in known,
            has_unwind_info="unwind" in known,
            has_symbols="symtab" in known,
            has_sources="sources" in known,
            srcsrv_vcs=self.outcome.srcsrv_vcs if self.facts.file_format == PDB else None,
        )

    def candidate(self, use: Use | None, purpose: Purpose) -> Candidate:
        """The record of this try; `use` is how its file was used for the purpose, None if it was not."""
        record = record_of(self.place, self.outcome, self.facts)
        debug, unwind = (use, None) if purpose is Purpose.DEBUG else (None, use)
        return Candidate(self.place.source.id, self.place.location.uri, self._download(), debug, unwind, record)

    def status(self) -> ModuleStatus:
        """What the module's status is when this try is all there is."""
        if isinstance(self.outcome, Miss):
            return _MODULE_STATUS[self.outcome.kind]
        return ModuleStatus.OTHER if isinstance(self.outcome, InternalFailure) else ModuleStatus.MISSING

    def _download(self) -> Download:
        if not isinstance(self.outcome, ObjectFile):
            return failed_download(self.outcome)
        if self.facts is None:
            return Download(DownloadStatus.NOT_FOUND)
        return Download(DownloadStatus.OK, features=self.features)


def debug_rank(attempt: Try) -> int | None:
    """How good a file is for names: 0 with debug information, 1 with symbols only; None when it is of no use."""
    if attempt.features.has_debug_info:
        return 0
    return 1 if attempt.features.has_symbols else None


def unwind_rank(attempt: Try) -> int | None:
    """How good a file is for unwinding: all that hold rules are equal; None when it is of no use."""
    return 0 if attempt.features.has_unwind_info else None


def unsupported(facts: ObjectFacts, module_type: ModuleType) -> str | None:
    """Why a file cannot be used for this kind of module, though it may be the right one; None when it can.

    Decided by the format: converting such files succeeds, and gives an empty symcache.
    """
    if module_type is ModuleType.PE_DOTNET:
        return None if facts.file_format == PORTABLE_PDB else DOTNET_NEEDS_PORTABLE
    return NOT_NATIVE if facts.file_format in _NOT_NATIVE else None


def use_of(miss: Miss | InternalFailure) -> Use:
    """How a file that could not be converted was used."""
    if isinstance(miss, Miss):
        return Use(UseStatus.MALFORMED)
    return Use(UseStatus.ERROR, miss.reason if miss.reason.startswith("Object file") else INTERNAL)


def failed_download(outcome: Miss | InternalFailure) -> Download:
    """How the wire tells that there is no file."""
    if isinstance(outcome, InternalFailure):
        full = outcome.reason == CACHE_FULL
        return Download(DownloadStatus.ERROR, details=CACHE_FULL if full else INTERNAL)
    match outcome.kind:
        case FailureKind.NOT_FOUND:
            return Download(DownloadStatus.NOT_FOUND)
        case FailureKind.REFUSED:
            return Download(DownloadStatus.NO_PERMISSION, details=outcome.details)
        case FailureKind.MALFORMED | FailureKind.TOO_LARGE:
            return Download(DownloadStatus.MALFORMED)
        case _:
            return Download(DownloadStatus.ERROR, details=outcome.details)
