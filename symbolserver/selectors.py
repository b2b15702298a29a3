"""Reads: which of a project's files a path asks for, by one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import F, FilteredRelation, Q

from projects.models import Project
from symbolserver.readings import Reading

_MOST: Final = 64
_FILE: Final = "found__"


class StoredFile(NamedTuple):
    """One object of an uploaded file: `size` bytes from `offset` of the content under `key`."""

    pk: int
    file_types: list[str]
    code_id: str
    debug_uuid: UUID | None
    debug_appendix: int
    object_name: str
    offset: int
    size: int
    created_at: datetime
    last_used: datetime
    sha256: str
    key: str


_COLUMNS: Final = (
    "pk",
    "file_types",
    "code_id",
    "debug_uuid",
    "debug_appendix",
    "object_name",
    "object_offset",
    "object_size",
    "created_at",
    "last_used",
    "blob__sha256",
    "blob__key",
)


@dataclass(frozen=True, slots=True)
class Found:
    """The best of a project's files, if it has one, and whether its symbol sources may be asked otherwise."""

    file: StoredFile | None
    ask_sources: bool


def find_file(project_id: int, readings: Sequence[Reading]) -> Found:
    """What a project has for a path that is read so (one reading at least). One query, by the indexes on ids."""
    asked = Q()
    for reading in readings:
        asked |= _question(reading)
    rows = (
        Project.objects.filter(pk=project_id)
        .annotate(found=FilteredRelation("debug_files", condition=asked))
        .order_by(F("found__pk").desc(nulls_last=True))
        .values_list("serving__sources", *(f"{_FILE}{name}" for name in _COLUMNS))[:_MOST]
    )
    listed = list(rows)
    files = [StoredFile(*row[1:]) for row in listed if row[1] is not None]
    ranked = [(rank, file) for file in files if (rank := _rank(file, readings)) is not None]
    best = min(ranked, key=lambda pair: pair[0])[1] if ranked else None
    return Found(best, any(row[0] for row in listed))


def _question(reading: Reading) -> Q:
    """A later age counts a later write of a PDB, which still has what an earlier crash needs."""
    prefix = "debug_files__"
    ids = Q(**{f"{prefix}code_id": reading.code_id}) if reading.code_id else Q()
    for debug_id in reading.debug_ids:
        ids |= Q(**{f"{prefix}debug_uuid": debug_id.uuid, f"{prefix}debug_appendix__gte": debug_id.appendix})
    return ids & Q(**{f"{prefix}file_types__overlap": [kind.value for kind in reading.file_types]})


def _rank(file: StoredFile, readings: Sequence[Reading]) -> tuple[int, ...] | None:
    """How well a file serves, less is better; of equal ones the newest comes first in the query.

    What was split off to be nothing else is better than what can be that too, and the age that was asked for better
    than a later one. Time stamps of programs repeat, so the name counts where the path has one.
    """
    for number, reading in enumerate(readings):
        kinds = [at for at, kind in enumerate(reading.file_types) if kind.value in file.file_types]
        if kinds and _belongs(file, reading):
            other_name = reading.name.lower() != file.object_name.lower()
            return number, kinds[0], other_name, len(file.file_types), file.debug_appendix
    return None


def _belongs(file: StoredFile, reading: Reading) -> bool:
    if reading.code_id and reading.code_id == file.code_id:
        return True
    return any(
        debug_id.uuid == file.debug_uuid and file.debug_appendix >= debug_id.appendix for debug_id in reading.debug_ids
    )
