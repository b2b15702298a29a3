"""What a lookup answers: the record of every try, and what came out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from engine.caches import Labels
from engine.errors import FailureKind
from engine.modules import DebugId

NOTHING_LISTED = "No object files listed on this source"


class DownloadStatus(StrEnum):
    OK = "ok"
    NOT_FOUND = "notfound"
    NO_PERMISSION = "noperm"
    MALFORMED = "malformed"
    ERROR = "error"


class UseStatus(StrEnum):
    OK = "ok"
    MALFORMED = "malformed"
    ERROR = "error"


class Purpose(StrEnum):
    """What a file is looked for: the names of addresses, or the rules by which stacks are unwound."""

    DEBUG = "debug"
    UNWIND = "unwind"


class ModuleStatus(StrEnum):
    UNUSED = "unused"
    FOUND = "found"
    MISSING = "missing"
    FETCHING_FAILED = "fetching_failed"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"
    UNSUPPORTED = "unsupported"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Features:
    """What an object file offers. `srcsrv_vcs` (git, perforce or other) is where a PDB says its sources are kept."""

    has_debug_info: bool = False
    has_unwind_info: bool = False
    has_symbols: bool = False
    has_sources: bool = False
    srcsrv_vcs: str | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """How fetching one file ended. `features` only with `ok`, `details` only with `noperm` and `error`."""

    status: DownloadStatus
    features: Features | None = None
    details: str | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """How using a fetched file for one purpose ended. `details` only with `error`."""

    status: UseStatus
    details: str | None = None


class Outcome(StrEnum):
    """What came of one try, finer than the wire tells it; the failure kinds are among it."""

    FOUND = "found"
    WRONG_ID = "wrong_id"
    NOT_FOUND = FailureKind.NOT_FOUND.value
    REFUSED = FailureKind.REFUSED.value
    UNREACHABLE = FailureKind.UNREACHABLE.value
    TIMED_OUT = FailureKind.TIMED_OUT.value
    MALFORMED = FailureKind.MALFORMED.value
    TOO_LARGE = FailureKind.TOO_LARGE.value
    NOT_CONFIGURED = FailureKind.NOT_CONFIGURED.value
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, slots=True)
class TryRecord:
    """What diagnoses know of a try beyond the wire: times are in seconds since the epoch.

    `path` is relative to the source. `fetched_at` is when the source was asked; `expires_at` until when the result is
    believed, None for a file, which stays as long as it is used; `next_try_at` when the source is asked again.
    """

    path: str
    outcome: Outcome
    fetched_at: float | None = None
    expires_at: float | None = None
    next_try_at: float | None = None
    details: str = ""
    left_alone: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """One file that was tried. `debug` and `unwind` are None when the file was not used for that purpose.

    `record` is None for a source that offered no place to look at.
    """

    source: str
    location: str
    download: Download
    debug: Use | None = None
    unwind: Use | None = None
    record: TryRecord | None = field(default=None, compare=False)

    def use(self, purpose: Purpose) -> Use | None:
        return self.debug if purpose is Purpose.DEBUG else self.unwind


class MapKind(StrEnum):
    BCSYMBOLMAP = "bcsymbolmap"
    IL2CPP = "il2cpp"


@dataclass(frozen=True, slots=True)
class NameMap:
    """A file that turns the names or lines of a debug file into those that people wrote.

    `identity` is the hex digest of its content.
    """

    kind: MapKind
    path: Path
    identity: str


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """What is known about one module's file for one purpose.

    `path` is a verified file on disk, None unless `status` is `found`; `identity` is the hex digest of its content.
    `candidates` are sorted by source and location. `valid_until` is in seconds since the epoch: from then on it is
    worth asking again.
    """

    status: ModuleStatus
    path: Path | None
    identity: str | None
    arch: str
    features: Features
    candidates: tuple[Candidate, ...]
    valid_until: float


@dataclass(frozen=True, slots=True)
class SymcacheAnswer(FileAnswer):
    """What is known about one module's debug file.

    `path` is a symcache; with `managed` it is a portable PDB instead, which only our own reader opens. `identity`
    covers the `maps` too that what it says has to go through.
    """

    managed: bool = False
    maps: tuple[NameMap, ...] = ()


@dataclass(frozen=True, slots=True)
class ModuleRecord:
    """What a file says of the debug file that belongs to it."""

    debug_file: str
    debug_id: DebugId


@dataclass(frozen=True, slots=True)
class CficacheAnswer(FileAnswer):
    """What is known about one module's unwind rules: `path` is an index that `engine.formats.cfi` opens.

    With `checksum` it is the object file instead, which `engine.formats.eh_frame` reads in place: the CRC-32 of its
    tables must be this, which nobody has made sure of yet. `module_record` is what the file says where dumps may not:
    code files of Windows name their PDB.
    """

    module_record: ModuleRecord | None = None
    checksum: int | None = None


@dataclass(frozen=True, slots=True)
class SourceObject:
    """A file that holds source files or tells where they are: a source bundle, or with `portable_pdb` one of those.

    `identity` is the hex digest of its content. `linked` means that it leads to the web for some of its files; what is
    fetched from there belongs to what `labels` say.
    """

    path: Path
    identity: str
    portable_pdb: bool
    linked: bool
    labels: Labels


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """What is known about one module's source files. `candidates` and `valid_until` are as those of symcaches."""

    object: SourceObject | None
    candidates: tuple[Candidate, ...]
    valid_until: float
