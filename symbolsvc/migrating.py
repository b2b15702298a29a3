"""Bringing the database's tables up to date, at the cost of a look when they are."""

from __future__ import annotations

from typing import Final

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

# Two of these at once wait for each other. The number is any that no other lock uses.
_LOCK: Final = 7_305_810_230


def pending() -> bool:
    """Whether a migration is missing. Raises Django's DatabaseError."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def bring_up_to_date() -> None:
    """Run the migrations that are missing; several processes may ask at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    try:
        if pending():
            call_command("migrate", interactive=False, verbosity=0)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def release_pool() -> None:
    """Give up this process's connections for good, before it forks."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
