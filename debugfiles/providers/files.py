"""A project's own debug files as a source of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO, Final, NamedTuple
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from core.database import release
from debugfiles.contents import TOUCH_EVERY, touch
from debugfiles.models import DebugFile
from debugfiles.providers.fetching import absent, cache_key, copy_content
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import NEVER, FileType, Location
from projects.access import ProjectAccess
from projects.models import Project

# Ids that begin so are reserved, and this is the one that clients of Sentry know for a project's own files.
SOURCE_ID: Final = "sentry:project"
SOURCE_NAME: Final = "Uploaded files"
_MOST: Final = 32


class _Row(NamedTuple):
    pk: int
    debug_uuid: UUID | None
    file_types: list[str]
    sha256: str
    offset: int
    size: int
    last_used: datetime


_COLUMNS: Final = ("pk", "debug_uuid", "file_types", "blob__sha256", "object_offset", "object_size", "last_used")


class ProjectFiles:
    """The files of one project as of one revision of its uploads. Safe to use from several threads.

    Every change of the project's files gives another `cache_key`, so no answer from before it is believed; what was
    fetched stays good all the same, since it is kept under the digest of its content.
    """

    id = SOURCE_ID
    shared = False
    asks_first = False

    def __init__(self, project: Project, revision: int) -> None:
        self._project_id = project.pk
        # Nothing has ever been uploaded.
        self.empty = revision == 0
        self.cache_key = cache_key(project, "files", str(revision))

    def __repr__(self) -> str:
        return f"<ProjectFiles of project {self._project_id}>"

    def locate(
        self, wanted: Wanted, file_types: Sequence[FileType], deadline: Deadline = NEVER
    ) -> list[tuple[FileType, Location]]:
        """The project's files for the module's debug id, else for its code id, in the order of `file_types`.

        Each is offered once, newer before older. Raises what the database raises: an outage is no absence.
        """
        asked = _question(wanted)
        if asked is None or self.empty:
            return []
        try:
            rows = self._rows(asked, file_types)
        finally:
            release()
        by_id = [row for row in rows if wanted.debug_id is not None and row.debug_uuid == wanted.debug_id.uuid]
        return _offered(by_id or rows, file_types)

    def fetch(self, location: Location, wanted: Wanted, target: BinaryIO, deadline: Deadline) -> None:
        """Write the object to `target`. Raises PassingFailure or DeadlineExceeded."""
        try:
            found = DebugFile.objects.filter(project_id=self._project_id, pk=int(location.path))
            row = found.select_related("blob").first()
        finally:
            release()
        if row is None:
            raise absent()
        copy_content(row.blob, target, deadline, row.object_offset, row.object_size)

    def _rows(self, asked: Q, file_types: Sequence[FileType]) -> list[_Row]:
        files = DebugFile.objects.filter(asked, project_id=self._project_id, file_types__overlap=list(file_types))
        found = [_Row(*row) for row in files.order_by("debug_appendix", "-pk").values_list(*_COLUMNS)[:_MOST]]
        stale = timezone.now() - TOUCH_EVERY
        touch(DebugFile, [row.pk for row in found if row.last_used < stale])
        return found


def project_files(access: ProjectAccess) -> ProjectFiles:
    """The debug files of the opened project, as they were when it was opened; asks nothing yet."""
    return ProjectFiles(access.project, access.project.files_revision)


def _question(wanted: Wanted) -> Q | None:
    """An age counts the writes of a PDB: a later one still has what an earlier crash needs."""
    asked = Q()
    if wanted.debug_id is not None:
        asked |= Q(debug_uuid=wanted.debug_id.uuid, debug_appendix__gte=wanted.debug_id.appendix)
    if wanted.code_id:
        asked |= Q(code_id=wanted.code_id)
    return asked or None


def _offered(rows: Sequence[_Row], file_types: Sequence[FileType]) -> list[tuple[FileType, Location]]:
    offered: dict[int, tuple[FileType, Location]] = {}
    for file_type in file_types:
        for row in rows:
            if file_type.value in row.file_types:
                offered.setdefault(row.pk, (file_type, _location(row)))
    return list(offered.values())


def _location(row: _Row) -> Location:
    content = f"sha256:{row.sha256}:{row.offset}:{row.size}"
    return Location(str(row.pk), f"symbolsvc://project_debug_file/{row.pk}", content)
