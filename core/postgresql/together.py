"""Several statements that go to the server as one message.

They are one transaction, which the server begins and ends by itself unless there is one already: nobody waits for a
process that stopped in the middle. Each sees what was committed before it began, and is parsed and planned once per
connection. For what happens hundreds of times a second; see `core.postgresql.direct`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connections, transaction

from core.postgresql.direct import Parameters, Row, connected

Statement = tuple[str, Parameters]


def last_row(statements: Sequence[Statement]) -> Row | None:
    """The first row that the last statement gives; None without one. Raises what Django's cursors raise."""
    wrapper = connections["default"]
    if wrapper.queries_logged or wrapper.execute_wrappers:
        return _watched(wrapper, statements)
    with connected(wrapper) as connection:
        return _piped(connection, statements)


def _watched(wrapper: Any, statements: Sequence[Statement]) -> Row | None:
    """Where somebody counts or replaces what Django's cursors do, they see each."""
    with transaction.atomic(), wrapper.cursor() as cursor:
        for statement, parameters in statements:
            cursor.execute(statement, parameters)
        row: Row | None = cursor.fetchone()
    return row


def _piped(connection: psycopg.Connection[Any], statements: Sequence[Statement]) -> Row | None:
    # All are sent when the pipeline ends.
    with connection.pipeline():
        cursors = [psycopg.Cursor[Row](connection) for _ in statements]
        for cursor, (statement, parameters) in zip(cursors, statements, strict=True):
            cursor.execute(statement, parameters, prepare=True)
    return cursors[-1].fetchone()
