"""How many worker processes the whole installation has, on however many machines."""

from __future__ import annotations

import time
from typing import Final

from django.conf import settings
from django.db import connection

from core.background import application_prefix
from crashes.processing.waking import QUEUE

_FRESH_SECONDS: Final = 5.0
_known: tuple[float, int] = (float("-inf"), 0)


def worker_processes() -> int:
    """Counted by their names in the database, at most every few seconds; at least those of the settings."""
    global _known
    counted_at, count = _known
    if time.monotonic() - counted_at > _FRESH_SECONDS:
        count = _count()
        _known = (time.monotonic(), count)
    return max(count, int(settings.ENVIRONMENT["CRASH_WORKERS"]))


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT application_name) FROM pg_stat_activity"
            " WHERE datname = current_database() AND starts_with(application_name, %s)",
            [application_prefix(QUEUE)],
        )
        (count,) = cursor.fetchone()
    return int(count)
