"""Single statements past Django's cursors, for what happens hundreds of times a second.

A statement is parsed and planned once per connection and then only bound, and a connection is taken from the pool for
just this statement, without the rounds that Django's wrapper makes around one. Inside a transaction, or where the
thread holds a connection already, it runs there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from django.db import connections
from psycopg import errors

from core.postgresql.base import RETURNED, DatabaseWrapper

Row = tuple[Any, ...]
Parameters = Sequence[Any] | Mapping[str, Any]

_UNPREPARED: Final = "_symbolsvc_unprepared"
# A pooler between us and the server may keep no statements, and a migration may change what one gives.
_NOT_KEPT: Final = (
    errors.InvalidSqlStatementName,
    errors.DuplicatePreparedStatement,
    errors.FeatureNotSupported,
)


def first_row(statement: str, parameters: Parameters) -> Row | None:
    """The first row that a statement gives; None without one. Outside of a transaction it is one of its own.

    Raises what Django's cursors raise, of `django.db`.
    """
    return next(iter(all_rows(statement, parameters)), None)


def all_rows(statement: str, parameters: Parameters) -> list[Row]:
    """The rows that a statement gives. As `first_row` in all else."""
    wrapper = connections["default"]
    if wrapper.queries_logged or wrapper.execute_wrappers:
        return _watched(wrapper, statement, parameters)
    with connected(wrapper) as connection:
        return _run(connection, statement, parameters)


@contextmanager
def connected(wrapper: Any) -> Iterator[psycopg.Connection[Any]]:
    """A connection for a moment: the thread's own where it holds one, else one of the pool.

    What is raised meanwhile becomes what Django's cursors raise.
    """
    with wrapper.wrap_database_errors:
        if wrapper.connection is not None or not isinstance(wrapper, DatabaseWrapper) or not wrapper.pool:
            wrapper.ensure_connection()
            yield _preparing(wrapper.connection)
            return
        taken = wrapper.get_new_connection({})
        try:
            yield _preparing(taken)
        finally:
            setattr(taken, RETURNED, time.monotonic())
            taken._pool.putconn(taken)


def _preparing(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    if connection.prepare_threshold is None:
        # Django's own cursors prepare nothing, whatever this says.
        connection.prepare_threshold = 5
    return connection


def _watched(wrapper: Any, statement: str, parameters: Parameters) -> list[Row]:
    """Where somebody counts or replaces what Django's cursors do, they see this too."""
    with wrapper.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[Row] = cursor.fetchall()
    return rows


def _run(connection: psycopg.Connection[Any], statement: str, parameters: Parameters) -> list[Row]:
    if hasattr(connection, _UNPREPARED):
        return _execute(connection, statement, parameters, prepare=False)
    try:
        return _execute(connection, statement, parameters, prepare=True)
    except _NOT_KEPT:
        if not connection.autocommit:
            raise
        # Refused before anything of it was done.
        setattr(connection, _UNPREPARED, True)
        return _execute(connection, statement, parameters, prepare=False)


def _execute(
    connection: psycopg.Connection[Any], statement: str, parameters: Parameters, *, prepare: bool
) -> list[Row]:
    with psycopg.Cursor[Row](connection) as cursor:
        return cursor.execute(statement, parameters, prepare=prepare).fetchall()
