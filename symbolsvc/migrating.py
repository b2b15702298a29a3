"""Bringing the database's tables up to date, at the cost of a look when they are."""

from __future__ import annotations

import time
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

# Two of these at once wait for each other. The number is any that no other lock uses.
_LOCK: Final = 7_305_810_230


def pending() -> bool:
    """Whether a migration is missing. Raises Django's DatabaseError."""
    # Django's own look imports and connects all of them: most of a start's time in the database's name. It sees more
    # than names where these are not enough, such as what replaces others.
    return not are_recorded() and _planned()


def _planned() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def are_recorded() -> bool:
    """Whether all migrations that lie in the installed apps were run, told by their names and so without loading them.

    Raises Django's DatabaseError.
    """
    with connection.cursor() as cursor:
        if MigrationRecorder.Migration._meta.db_table not in connection.introspection.table_names(cursor):
            return False
        cursor.execute("SELECT app, name FROM django_migrations")
        return _shipped() <= set(cursor.fetchall())


def _shipped() -> set[tuple[str, str]]:
    folders = {config.label: str(Path(config.path, "migrations")) for config in apps.get_app_configs()}
    return {
        (label, module.name)
        for label, folder in folders.items()
        for module in iter_modules([folder])
        if module.name[0] not in "_~"
    }


def _locked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def bring_up_to_date() -> None:
    """Run the migrations that are missing; several processes may ask at once."""
    if not pending():
        return
    # Who waited inside a statement would be waited for in turn by an index that is made while others write.
    while not _locked():
        time.sleep(0.2)
    try:
        if pending():
            call_command("migrate", interactive=False, verbosity=0)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
