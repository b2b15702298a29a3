"""Several statements that go to the server as one message.

They are one transaction, which the server begins and ends by itself unless there is one already: nobody waits for a
process that stopped in the middle. Each sees what was committed before it began, and is parsed and planned once per
connection. For what happens hundreds of times a second; see `core.postgresql.direct`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from django.db import connections, transaction

from core.postgresql.base import RETURNED, DatabaseWrapper
from core.postgresql.direct import Parameters, Row

Statement = tuple[str, Parameters]

_THRESHOLD: Final = 5


def last_row(statements: Sequence[Statement]) -> Row | None:
    """The first row that the last statement gives; None without one. Raises what Django's cursors raise."""
    wrapper = connections["default"]
    if wrapper.queries_logged or wrapper.execute_wrappers:
        return _watched(wrapper, statements)
    with wrapper.wrap_database_errors:
        if wrapper.connection is not None or not isinstance(wrapper, DatabaseWrapper) or not wrapper.pool:
            wrapper.ensure_connection()
            return _piped(wrapper.connection, statements)
        taken = wrapper.get_new_connection({})
        try:
            return _piped(taken, statements)
        finally:
            setattr(taken, RETURNED, time.monotonic())
            taken._pool.putconn(taken)


def _watched(wrapper: Any, statements: Sequence[Statement]) -> Row | None:
    """Where somebody counts or replaces what Django's cursors do, they see each."""
    with transaction.atomic(), wrapper.cursor() as cursor:
        for statement, parameters in statements:
            cursor.execute(statement, parameters)
        row: Row | None = cursor.fetchone()
    return row


def _piped(connection: psycopg.Connection[Any], statements: Sequence[Statement]) -> Row | None:
    if connection.prepare_threshold is None:
        # Django's own cursors prepare nothing, whatever this says.
        connection.prepare_threshold = _THRESHOLD
    # All are sent when the pipeline ends.
    with connection.pipeline():
        cursors = [psycopg.Cursor[Row](connection) for _ in statements]
        for cursor, (statement, parameters) in zip(cursors, statements, strict=True):
            cursor.execute(statement, parameters, prepare=True)
    return cursors[-1].fetchone()
