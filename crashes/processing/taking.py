"""A crash that is claimed, as it is when the work begins."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from core.postgresql.direct import first_row
from core.postgresql.loading import Loading
from crashes.again import Revisions
from crashes.models import Crash
from crashes.processing.claims import Claim

_STATEMENT: Final = """
SELECT files_revision, sources_revision, {columns} FROM crashes_crash
JOIN projects_project ON projects_project.id = crashes_crash.project_id
WHERE crashes_crash.id = %s AND lease_token = %s AND state = 'running'
"""


def take(claim: Claim) -> tuple[Crash, Revisions] | None:
    """The crash, and how new its project's files and sources are; None when it is another's by now."""
    row = first_row(_STATEMENT.format(columns=_loading().columns), (claim.crash_id, claim.token))
    return None if row is None else (_loading().made(row[2:]), Revisions(*row[:2]))


@lru_cache(maxsize=1)
def _loading() -> Loading[Crash]:
    return Loading(Crash)
