"""A project's own debug files as a source of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Final

from core.database import release
from debugfiles.models import DebugFile
from debugfiles.providers.fetching import absent, cache_key, copy_content
from debugfiles.providers.listed import Listed, Row, Rows
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import NEVER, FileType, Location
from projects.access import ProjectAccess
from projects.models import Project

# Ids that begin so are reserved, and this is the one that clients of Sentry know for a project's own files.
SOURCE_ID: Final = "sentry:project"
SOURCE_NAME: Final = "Uploaded files"


class ProjectFiles:
    """The files of one project as of one revision of its uploads. Safe to use from several threads.

    What is known of a module from another revision holds as long as the project offers the same files of it; what was
    fetched stays good whatever else changes, since it is kept under the digest of its content.
    """

    id = SOURCE_ID
    shared = False
    asks_first = False

    def __init__(self, project: Project, revision: int) -> None:
        self._project_id = project.pk
        # Nothing has ever been uploaded.
        self.empty = revision == 0
        self.revision = revision
        self.cache_key = cache_key(project, "files")
        self._listed = Listed(project.pk, revision)

    def __repr__(self) -> str:
        return f"<ProjectFiles of project {self._project_id}>"

    def locate(
        self, wanted: Wanted, file_types: Sequence[FileType], deadline: Deadline = NEVER
    ) -> list[tuple[FileType, Location]]:
        """The project's files for the module's debug id, else for its code id, in the order of `file_types`.

        Each is offered once, newer before older. Raises what the database raises: an outage is no absence.
        """
        types = set(file_types)
        rows = [row for row in self._rows(wanted) if not types.isdisjoint(row.file_types)]
        by_id = [row for row in rows if wanted.debug_id is not None and row.debug_uuid == wanted.debug_id.uuid]
        return _offered(by_id or rows, file_types)

    def learn(self, wanted: Sequence[Wanted]) -> None:
        """Ask for the files of many modules at once. Raises what the database raises."""
        if not self.empty:
            self._listed.learn(wanted)

    def offer(self, wanted: Wanted) -> str:
        """The files that there are of a module: they never change, and never come back. Raises as `learn`."""
        return ",".join(str(row.pk) for row in self._rows(wanted))

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

    def _rows(self, wanted: Wanted) -> Rows:
        return () if self.empty else self._listed.rows(wanted)


def project_files(access: ProjectAccess) -> ProjectFiles:
    """The debug files of the opened project, as they were when it was opened; asks nothing yet."""
    return ProjectFiles(access.project, access.project.files_revision)


def _offered(rows: Sequence[Row], file_types: Sequence[FileType]) -> list[tuple[FileType, Location]]:
    offered: dict[int, tuple[FileType, Location]] = {}
    for file_type in file_types:
        for row in rows:
            if file_type.value in row.file_types:
                offered.setdefault(row.pk, (file_type, _location(row)))
    return list(offered.values())


def _location(row: Row) -> Location:
    content = f"sha256:{row.sha256}:{row.offset}:{row.size}"
    return Location(str(row.pk), f"symbolsvc://project_debug_file/{row.pk}", content)
