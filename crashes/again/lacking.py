"""Which files a project's crashes lack, those first whose arrival would mend most of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Q

from crashes.models import Crash, LackedFile
from engine.modules import DebugId, parse_code_id
from projects.models import Project

# Counted in the index alone, file by file.
_COUNTED: Final = """
SELECT file.id, counted.crashes, counted.newest
FROM crashes_lackedfile AS file
CROSS JOIN LATERAL (
    SELECT count(*) AS crashes, max(lack.crash_id) AS newest FROM crashes_crashlack AS lack WHERE lack.file_id = file.id
) AS counted
WHERE file.project_id = %(project)s AND counted.crashes > 0 AND (%(ids)s::bigint[] IS NULL OR file.id = ANY(%(ids)s))
ORDER BY counted.crashes DESC, file.id
LIMIT %(most)s OFFSET %(start)s
"""


@dataclass(frozen=True, slots=True)
class LackedRow:
    """A file, how many crashes lack it, and the newest of these."""

    file: LackedFile
    crashes: int
    newest: int
    newest_at: datetime


def most_lacked(project: Project, start: int, most: int) -> list[LackedRow]:
    """Up to `most` files from the `start`-th on, those that most crashes lack first."""
    return _rows(project, start, most, None)


def named(project: Project, text: str, most: int) -> list[LackedRow]:
    """The lacked files that have `text` as their debug id, in any spelling and with any age, or as their code id."""
    debug_id = DebugId.parse(text)
    asked = Q(code_id=parse_code_id(text) or "-")
    if debug_id is not None:
        asked |= Q(debug_uuid=debug_id.uuid)
    ids = LackedFile.objects.filter(asked, project=project).order_by("pk").values_list("pk", flat=True)
    return _rows(project, 0, most, list(ids[:most]))


def _rows(project: Project, start: int, most: int, ids: list[int] | None) -> list[LackedRow]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"project": project.pk, "most": most, "start": start, "ids": ids})
        counted = cursor.fetchall()
    files = LackedFile.objects.in_bulk([row[0] for row in counted])
    times = dict(Crash.objects.filter(pk__in=[row[2] for row in counted]).values_list("pk", "received_at"))
    # What went in between is left out.
    return [
        LackedRow(files[pk], crashes, newest, times[newest])
        for pk, crashes, newest in counted
        if pk in files and newest in times
    ]
