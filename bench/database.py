"""A database of its own for a bench: the embedded one, without durability, gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def throwaway(prefix: str = "bench-database-") -> Iterator[Path]:
    """An empty database with the service's tables, and Django set up on it: once per process. Its data directory."""
    directory = Path(tempfile.mkdtemp(prefix=prefix))
    server = None
    try:
        from symbolsvc.running.postgres import Server

        server = Server(directory, durable=False)
        _set_up(directory, server.start())
        yield directory
    finally:
        if server is not None:
            _disconnect()
            server.stop()
            server.remove()
        shutil.rmtree(directory, ignore_errors=True)


def _set_up(directory: Path, address: str) -> None:
    os.environ.update(DATABASE_URL=address, SYMBOLSVC_DATA_DIR=str(directory), LOG_LEVEL="ERROR")
    os.environ["DJANGO_SETTINGS_MODULE"] = "symbolsvc.settings"
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.ALLOWED_HOSTS = ["*"]
    call_command("migrate", verbosity=0)


def _disconnect() -> None:
    from django.db import connection

    connection.close()
    if hasattr(connection, "close_pool"):
        connection.close_pool()
