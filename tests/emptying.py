"""Empties the database after a test that commits.

Django's own way truncates every table, filled or not, and writes content types and permissions anew: seconds where few
rows lie in few tables. It also leaves the tables of jobs, which no model manages, to the next test.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.test import TransactionTestCase
from psycopg import sql

# What migrations and their signals wrote, which stays the same for all tests.
KEPT = frozenset({"django_migrations", "django_content_type", "auth_permission"})


def empty_the_database() -> None:
    """Delete the rows of all tables but the kept ones; foreign keys are looked at when everything is gone."""
    with transaction.atomic(), connection.cursor() as cursor:
        filled = _filled(cursor)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in filled:
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


def _filled(cursor) -> list[str]:
    """The names of tables that hold rows, by one question."""
    tables = sorted(set(connection.introspection.table_names(cursor)) - KEPT)
    asked = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT 1 FROM {})").format(sql.Literal(table), sql.Identifier(table))
        for table in tables
    )
    cursor.execute(asked)
    return [name for (name,) in cursor.fetchall()]


def install() -> None:
    """Have tests with `transaction=True` end this way."""

    def teardown(_case: TransactionTestCase) -> None:
        empty_the_database()

    TransactionTestCase._fixture_teardown = teardown
