"""The row of a crash and the word that wakes workers, by one statement: one way to the database.

Where many crashes wait already every worker process is at work and takes the next one by itself: nothing is said, since
commits that say something wait for each other.
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
from crashes.processing.waking import CHANNEL, ENOUGH

# What the statement gives; every other column has its default, the model's or the database's.
_GIVEN: Final = (
    *("project_id", "rxid", "uuid", "format", "door", "occurred_at", "blob_key", "size", "sha256", "stored_bytes"),
    *("attributes", "classifiers", "modifiers", "client_fingerprint", "state"),
)
_CASTS: Final = {"uuid": "uuid", "occurred_at": "timestamptz", "classifiers": "text[]"}
_PENDING: Final = Crash.State.PENDING.value
# Constants stand in it as such: with a limit that it cannot see, the planner takes every plan for a poor one as soon as
# there are some thousand rows, and plans anew each time, which takes longer than the insertion.
_STATEMENT: Final = """
    WITH made AS (
        INSERT INTO crashes_crash ({columns}) VALUES ({values})
        ON CONFLICT (project_id, uuid) WHERE uuid IS NOT NULL DO NOTHING
        RETURNING id
    )
    SELECT id, CASE WHEN %(waits)s AND (
        SELECT count(*) FROM (SELECT 1 FROM crashes_crash WHERE state = 'pending' LIMIT {enough}) AS waiting
    ) < {enough} THEN pg_notify('{channel}', '') END FROM made
"""


def insert_crash(values: Mapping[str, Any]) -> int | None:
    """Insert a crash, and wake workers when it is pending and few wait. `values`: by column, all that `GIVEN` names.

    Its id; None when the project has one of the same uuid.
    """
    parameters = {
        **values,
        "attributes": Jsonb(values["attributes"], dumps=orjson.dumps),
        "modifiers": Jsonb(values["modifiers"], dumps=orjson.dumps),
        "waits": values["state"] == _PENDING,
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
    values = ", ".join([*given, *defaults.values()])
    return _STATEMENT.format(columns=columns, values=values, channel=CHANNEL, enough=ENOUGH)
