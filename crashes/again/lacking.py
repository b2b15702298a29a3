"""Which files a project's crashes lack, those first whose arrival would mend most of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from crashes.models import Crash, LackedFile
from projects.models import Project

# Counted in the index alone, file by file.
_COUNTED: Final = """
SELECT file.id, counted.crashes, counted.newest
FROM crashes_lackedfile AS file
CROSS JOIN LATERAL (
    SELECT count(*) AS crashes, max(lack.crash_id) AS newest FROM crashes_crashlack AS lack WHERE lack.file_id = file.id
) AS counted
WHERE file.project_id = %(project)s AND counted.crashes > 0
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
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"project": project.pk, "most": most, "start": start})
        counted = cursor.fetchall()
    files = LackedFile.objects.in_bulk([row[0] for row in counted])
    times = dict(Crash.objects.filter(pk__in=[row[2] for row in counted]).values_list("pk", "received_at"))
    # What went in between is left out.
    return [
        LackedRow(files[pk], crashes, newest, times[newest])
        for pk, crashes, newest in counted
        if pk in files and newest in times
    ]
