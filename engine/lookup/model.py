"""What a lookup answers: the record of every try, and what came out of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

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
    """What an object file offers."""

    has_debug_info: bool = False
    has_unwind_info: bool = False
    has_symbols: bool = False
    has_sources: bool = False


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


@dataclass(frozen=True, slots=True)
class Candidate:
    """One file that was tried. `debug` and `unwind` are None when the file was not used for that purpose."""

    source: str
    location: str
    download: Download
    debug: Use | None = None
    unwind: Use | None = None


@dataclass(frozen=True, slots=True)
class SymcacheAnswer:
    """What is known about one module's debug file.

    `path` is a verified symcache on disk, None unless `status` is `found`; `identity` is the hex digest of its content.
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
