"""Storing what a crash lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.utils import timezone

from core.background import defer
from core.postgresql.direct import all_rows, first_row
from crashes.again import tasks
from crashes.again.gap import Revisions, held_revisions_of
from crashes.again.lacks import Lack
from crashes.models import Crash, LackedFile

# What a crash can lack: a process has hundreds of modules, and a report can name any number.
MOST: Final = 2_000
_TRIES: Final = 5
_LOCKED: Final = """
SELECT id, key, next_probe_at FROM crashes_lackedfile WHERE project_id = %s AND key = ANY(%s) ORDER BY key FOR KEY SHARE
"""
_FORGET: Final = """
DELETE FROM crashes_crashlack WHERE crash_id = %(crash)s AND file_id <> ALL(%(files)s::bigint[]) RETURNING id
"""
_NOTE: Final = """
INSERT INTO crashes_crashlack (crash_id, file_id, files_revision)
SELECT %(crash)s, unnest(%(files)s::bigint[]), %(revision)s
ON CONFLICT (crash_id, file_id) DO UPDATE SET files_revision = excluded.files_revision
RETURNING id
"""


class _Noted(NamedTuple):
    """A file that crashes lack."""

    pk: int
    key: str
    next_probe_at: datetime | None


def record(crash: Crash, lacks: Sequence[Lack], seen: Revisions | None = None) -> None:
    """Replace what a crash lacks. In the transaction that stores its result, which has locked the crash.

    `seen` are the project's revisions as read before the files were asked for: what came since is looked at once more,
    by a job that this transaction defers, so that a kill after the commit loses nothing.
    """
    wanted = {lack.key: lack for lack in lacks[:MOST]}
    ids = _ensure(crash.project_id, wanted) if wanted else []
    first_row(_FORGET, {"crash": crash.pk, "files": ids})
    if not ids:
        return
    first_row(_NOTE, {"crash": crash.pk, "files": ids, "revision": seen.files if seen else 0})
    if seen is not None:
        _close_gap(crash, ids, seen)


def _close_gap(crash: Crash, file_ids: Sequence[int], seen: Revisions) -> None:
    """From here on whoever brings a file sees what the crash lacks; who did before is seen here."""
    now = held_revisions_of(crash.project_id)
    if now.files != seen.files:
        defer(tasks.look, crash_id=crash.pk)
    if now.sources != seen.sources:
        LackedFile.objects.filter(pk__in=file_ids).exclude(module={}).update(next_probe_at=timezone.now())


def _ensure(project_id: int, wanted: Mapping[str, Lack]) -> list[int]:
    """The rows of these files, which stay there until the transaction ends.

    Always in the order of their keys: two crashes that lack the same new files wait for each other in one direction.
    """
    keys = sorted(wanted)
    for _ in range(_TRIES):
        found = _locked(project_id, keys)
        missing = [key for key in keys if key not in found]
        if not missing:
            _keep_probing(found.values(), wanted)
            return sorted(file.pk for file in found.values())
        LackedFile.objects.bulk_create([wanted[key].row(project_id) for key in missing], ignore_conflicts=True)
    raise RuntimeError("files that are lacked vanish faster than they can be noted")


def _locked(project_id: int, keys: Sequence[str]) -> dict[str, _Noted]:
    """Shared with other crashes; the sweep of what nobody lacks waits, or is done."""
    rows = (_Noted(*row) for row in all_rows(_LOCKED, (project_id, list(keys))))
    return {row.key: row for row in rows}


def _keep_probing(files: Iterable[_Noted], wanted: Mapping[str, Lack]) -> None:
    """Ask again for what had been given up: it is missed anew."""
    for file in files:
        due = wanted[file.key].next_try_at
        if file.next_probe_at is None and due is not None and wanted[file.key].module:
            LackedFile.objects.filter(pk=file.pk, next_probe_at=None).update(next_probe_at=due)
