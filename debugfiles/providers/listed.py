"""Which files a project has for modules: asked for many modules at once, and remembered per revision of its uploads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.utils import timezone

from core.database import release
from core.postgresql.direct import all_rows
from debugfiles.contents import TOUCH_EVERY, touch
from debugfiles.models import DebugFile
from engine.modules import Wanted
from engine.native.memory import TwoGenerations

_AT_ONCE: Final = 1000
_REMEMBERED: Final = 40_000
# Rows in use are noted as used now and then, whether or not the project's files change.
_SECONDS: Final = 600.0

# Each of the two ways takes its index. An age counts the writes of a PDB: a later one still has what an earlier crash
# needs.
_STATEMENT: Final = """
SELECT asked.number, file.id, file.debug_uuid, file.debug_appendix, file.file_types, blob.sha256,
    file.object_offset, file.object_size, file.last_used
FROM unnest(%s::int[], %s::uuid[], %s::bigint[], %s::text[]) AS asked (number, debug_uuid, appendix, code_id)
CROSS JOIN LATERAL (
    (SELECT id FROM debugfiles_debugfile
        WHERE project_id = %s AND debug_uuid = asked.debug_uuid AND debug_appendix >= asked.appendix
        ORDER BY debug_appendix, id DESC LIMIT 32)
    UNION
    (SELECT id FROM debugfiles_debugfile
        WHERE project_id = %s AND code_id = asked.code_id
        ORDER BY debug_appendix, id DESC LIMIT 32)
) AS found
JOIN debugfiles_debugfile AS file ON file.id = found.id
JOIN debugfiles_blob AS blob ON blob.id = file.blob_id
ORDER BY asked.number, file.debug_appendix, file.id DESC
"""


class Row(NamedTuple):
    """A file: `appendix` is that of its debug id, `offset` and `size` are in bytes of its content."""

    pk: int
    debug_uuid: UUID | None
    appendix: int
    file_types: Sequence[str]
    sha256: str
    offset: int
    size: int
    last_used: datetime


_Key = tuple[UUID | None, int, str | None]
Rows = tuple[Row, ...]
_remembered: TwoGenerations[tuple[int, int, _Key], tuple[float, Rows]] = TwoGenerations(_REMEMBERED)


class Listed:
    """The rows of one project's files as of one revision of its uploads."""

    __slots__ = ("_project_id", "_revision")

    def __init__(self, project_id: int, revision: int) -> None:
        self._project_id = project_id
        self._revision = revision

    def learn(self, wanted: Sequence[Wanted]) -> None:
        """Ask for all that is not remembered. Raises what the database raises: an outage is no absence."""
        unknown = {key for each in wanted if (key := _key(each)) is not None and self._remembered(key) is None}
        keys = list(unknown)
        for start in range(0, len(keys), _AT_ONCE):
            self._ask(keys[start : start + _AT_ONCE])

    def rows(self, wanted: Wanted) -> Rows:
        """The files for the module's debug id or its code id, lower ages first, newer before older.

        Raises as `learn`.
        """
        key = _key(wanted)
        if key is None:
            return ()
        found = self._remembered(key)
        return self._ask([key])[key] if found is None else found

    def _remembered(self, key: _Key) -> Rows | None:
        found = _remembered.get((self._project_id, self._revision, key))
        return found[1] if found is not None and found[0] > time.monotonic() else None

    def _ask(self, keys: Sequence[_Key]) -> dict[_Key, Rows]:
        found: dict[_Key, list[Row]] = {key: [] for key in keys}
        for key, row in self._answer(keys):
            found[key].append(row)
        until = time.monotonic() + _SECONDS
        answers = {key: tuple(rows) for key, rows in found.items()}
        for key, rows in answers.items():
            _remembered.put((self._project_id, self._revision, key), (until, rows), 1)
        return answers

    def _answer(self, keys: Sequence[_Key]) -> Iterator[tuple[_Key, Row]]:
        uuids, appendices, code_ids = zip(*keys, strict=True)
        numbers = list(range(len(keys)))
        parameters = (numbers, list(uuids), list(appendices), list(code_ids), self._project_id, self._project_id)
        try:
            rows = [(keys[number], Row(*columns)) for number, *columns in all_rows(_STATEMENT, parameters)]
            stale = timezone.now() - TOUCH_EVERY
            touch(DebugFile, {row.pk for _, row in rows if row.last_used < stale})
        finally:
            release()
        return iter(rows)


def _key(wanted: Wanted) -> _Key | None:
    debug_id = wanted.debug_id
    if debug_id is None:
        return (None, 0, wanted.code_id) if wanted.code_id else None
    return debug_id.uuid, debug_id.appendix, wanted.code_id or None
