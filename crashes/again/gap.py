"""The gap between asking for files and having stored that they were not there.

The lock is one of PostgreSQL's advisory locks, per project. Crashes that store what they lack hold it together until
they have committed; a job that looks for crashes waits until it has been free for a moment. So for any upload either
the crash sees its files, because they were committed before it looked under the lock, or the upload's job sees what the
crash lacks. Uploads themselves never wait: one that finds the lock free may look itself, and needs no job when nobody
lacks its files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from core.postgresql.direct import first_row
from core.postgresql.together import last_row

_CLASS: Final = 0x0A6A19
_NUMBERS: Final = 1 << 31
_HOLD: Final = "SELECT pg_advisory_xact_lock_shared(%s, %s)"
_REVISIONS: Final = "SELECT files_revision, sources_revision FROM projects_project WHERE id = %s"
_CLOSE: Final = "SELECT pg_try_advisory_xact_lock(%s, %s)"


@dataclass(frozen=True, slots=True)
class Revisions:
    """How often a project's files, and its own sources, have changed."""

    files: int = 0
    sources: int = 0


def held_revisions_of(project_id: int) -> Revisions:
    """As `revisions_of`, read under the lock: jobs that look for crashes wait until this transaction ends."""
    return Revisions(*(last_row([(_HOLD, (_CLASS, project_id % _NUMBERS)), (_REVISIONS, (project_id,))]) or ()))


def wait(project_id: int) -> None:
    """Return when every crash that held the lock before has committed. Not to be called inside a transaction."""
    with transaction.atomic(durable=True):
        _lock("pg_advisory_xact_lock", project_id)


def close(project_id: int) -> bool:
    """Whether every crash that held the lock before has committed; if so none holds it until this transaction ends."""
    row = first_row(_CLOSE, [_CLASS, project_id % _NUMBERS])
    return row is not None and bool(row[0])


def revisions_of(project_id: int) -> Revisions:
    """Of the project as committed now; zeros for one that is gone."""
    return Revisions(*(first_row(_REVISIONS, (project_id,)) or ()))


def _lock(function: str, project_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [_CLASS, project_id % _NUMBERS])
