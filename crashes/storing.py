"""The row of a crash and its job, by one statement: for the machine half the work of two, and one way to the database.

A statement is a transaction of its own: nobody sees the row without the job, or the job without the row. Where enough
jobs wait already another one would say nothing new: whoever ends a crash looks whether more crashes wait than jobs. A
job costs as much as a row, and commits that wake worker processes wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson
from django.db import connection
from django.db.models import NOT_PROVIDED
from psycopg import sql
from psycopg.types.json import Jsonb

from core.postgresql.direct import first_row
from crashes.models import Crash
from crashes.processing.hints import MOST, QUEUE, TASK

# What the statement gives; every other column has its default, the model's or the database's.
_GIVEN: Final = (
    *("project_id", "rxid", "uuid", "format", "door", "occurred_at", "blob_key", "size", "sha256", "stored_bytes"),
    *("attributes", "classifiers", "modifiers", "client_fingerprint", "state"),
)
_CASTS: Final = {"uuid": "uuid", "occurred_at": "timestamptz", "classifiers": "text[]"}
_PENDING: Final = Crash.State.PENDING.value
# The function is the library's own way in, and has its version in its name.
_STATEMENT: Final = """
    WITH made AS (
        INSERT INTO crashes_crash ({columns}) VALUES ({values})
        ON CONFLICT (project_id, uuid) WHERE uuid IS NOT NULL DO NOTHING
        RETURNING id
    )
    SELECT id, CASE WHEN %(waits)s AND (
        SELECT count(*) FROM (
            SELECT 1 FROM procrastinate_jobs WHERE queue_name = %(queue)s AND status = 'todo' AND scheduled_at IS NULL
            LIMIT %(enough)s
        ) AS hints
    ) < %(enough)s THEN procrastinate_defer_jobs_v1(ARRAY[
        ROW(%(queue)s, %(task)s, 0, NULL, NULL, '{{}}', NULL)::procrastinate_job_to_defer_v1
    ]) END FROM made
"""


def insert_crash(values: Mapping[str, Any]) -> int | None:
    """Insert a crash, and a job when it is pending and few wait. `values`: by column, all that `GIVEN` names.

    Its id; None when the project has one of the same uuid.
    """
    parameters = {
        **values,
        "attributes": Jsonb(values["attributes"], dumps=orjson.dumps),
        "modifiers": Jsonb(values["modifiers"], dumps=orjson.dumps),
        "waits": values["state"] == _PENDING,
        "queue": QUEUE,
        "task": TASK,
        "enough": MOST,
    }
    row = first_row(_statement(), parameters)
    return None if row is None else int(row[0])


def crash_of(id_: int, values: Mapping[str, Any]) -> Crash:
    """The crash that was inserted so: it has what was given and its id."""
    made = Crash(id=id_, **values)
    made._state.adding = False
    return made


def _defaults() -> dict[str, str]:
    """The model's own defaults as literals, for columns of which the database knows none."""
    found = {}
    for field in Crash._meta.concrete_fields:
        if field.column in _GIVEN or field.primary_key or field.db_default is not NOT_PROVIDED:
            continue
        value = field.get_db_prep_save(field.get_default(), connection)
        found[str(field.column)] = sql.Literal(value).as_string(None).replace("%", "%%")
    return found


@lru_cache(maxsize=1)
def _statement() -> str:
    defaults = _defaults()
    given = [f"%({name})s" + (f"::{_CASTS[name]}" if name in _CASTS else "") for name in _GIVEN]
    columns = ", ".join([*_GIVEN, *defaults])
    return _STATEMENT.format(columns=columns, values=", ".join([*given, *defaults.values()]))
