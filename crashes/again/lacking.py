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

_COUNTED: Final = """
WITH counted AS MATERIALIZED (
    SELECT file.id, file.crashes + coalesce(since.change, 0) AS crashes
    FROM crashes_lackedfile AS file
    LEFT JOIN (
        SELECT file_id, sum(change)::bigint AS change FROM crashes_lackchange GROUP BY file_id
    ) AS since ON since.file_id = file.id
    WHERE file.project_id = %(project)s AND (%(ids)s::bigint[] IS NULL OR file.id = ANY(%(ids)s))
), shown AS (
    SELECT id, crashes FROM counted WHERE crashes > 0 ORDER BY crashes DESC, id LIMIT %(most)s OFFSET %(start)s
)
SELECT shown.id, shown.crashes, newest.crash_id FROM shown CROSS JOIN LATERAL (
    SELECT crash_id FROM crashes_crashlack WHERE file_id = shown.id ORDER BY crash_id DESC LIMIT 1
) AS newest
ORDER BY shown.crashes DESC, shown.id
"""
# Files that a crash holds are left for the next time: this never waits for a crash, so none can wait in a circle.
_ADD_UP: Final = """
WITH free AS (
    SELECT id FROM crashes_lackedfile WHERE id IN (SELECT file_id FROM crashes_lackchange)
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM crashes_lackchange AS one
    WHERE file_id IN (SELECT id FROM free)
        OR NOT EXISTS (SELECT FROM crashes_lackedfile AS file WHERE file.id = one.file_id)
    RETURNING file_id, change
)
UPDATE crashes_lackedfile AS file SET crashes = file.crashes + sums.change
FROM (SELECT file_id, sum(change)::bigint AS change FROM gone GROUP BY file_id) AS sums
WHERE sums.file_id = file.id
"""


@dataclass(frozen=True, slots=True)
class LackedRow:
    """A file, how many crashes lack it, and the newest of these."""

    file: LackedFile
    crashes: int
    newest: int
    newest_at: datetime


def add_up() -> None:
    """Add what changed to how many crashes lack each file. Several may do so at once."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD_UP)


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
