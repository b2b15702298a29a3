"""What goes out about imports from App Store Connect."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from core.openapi import ArrayOf

State = Literal["new", "running", "ok", "going_on", "delayed", "refused", "not_configured", "inherited"]


class ImportProblem(msgspec.Struct, frozen=True):
    """Why the last import came to nothing: a word for programs, a text, and what to do about it."""

    code: str
    text: str
    remedy: str


class BuildCounts(msgspec.Struct, frozen=True):
    """Builds by how far they are. `waiting`: Apple offers no dSYM files yet. `without`: it never has."""

    seen: int
    imported: int
    pending: int
    waiting: int
    without: int
    failed: int


class BuildTrouble(msgspec.Struct, frozen=True):
    """A build that could not be imported, or not all of it."""

    id: str
    version: str
    state: str
    attempts: int
    text: str


class AppStoreStatus(msgspec.Struct, frozen=True, rename="camel"):
    """The imports of one source. `lastImport` is when one last came to its end, `nextImport` when one is due."""

    source_id: str
    name: str
    app_id: str
    app_name: str
    state: State
    last_start: datetime | None
    last_import: datetime | None
    next_import: datetime | None
    error: ImportProblem | None
    builds: BuildCounts
    files: int
    troubles: list[BuildTrouble]


class AppStoreStatuses(ArrayOf):
    item = AppStoreStatus
