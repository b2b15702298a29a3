"""Whether the process lives, and whether it can do its work. For load balancers and supervisors: no token needed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from psycopg_pool import PoolTimeout

from core.installation import problems as lacking
from symbolsvc import migrating

_migrated = False
_shared = False


@csrf_exempt
@require_safe
def livez(_request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers at all; asks nobody else."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when database, migrations and cache directory are as they should be; 503 naming what is not."""
    problems = {name: problem for name, check in CHECKS.items() if (problem := check())}
    if problems:
        return JsonResponse({"status": "unavailable", "problems": problems}, status=503)
    return JsonResponse({"status": "ok"})


def _database() -> str | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, PoolTimeout):
        return "The database does not answer."
    return None


def _migrations() -> str | None:
    global _migrated
    try:
        _migrated = _migrated or not migrating.pending()
    except (DatabaseError, PoolTimeout):
        return "Unknown: the database does not answer."
    return None if _migrated else "Migrations are missing: run `manage.py migrate`."


def _what_is_shared() -> str | None:
    """Asked until all is well once: what hosts share does not change while one runs."""
    global _shared
    if _shared:
        return None
    try:
        found = lacking()
    except (DatabaseError, PoolTimeout):
        return "Unknown: the database does not answer."
    _shared = not found
    return " ".join(found) or None


def _cache_directory() -> str | None:
    directory = Path(settings.CACHE_DIR)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".readyz-", dir=directory)
        os.close(descriptor)
        os.unlink(name)
    except OSError as error:
        return f"The cache directory cannot be written: {error.strerror}."
    return None


CHECKS: Final[dict[str, Callable[[], str | None]]] = {
    "database": _database,
    "migrations": _migrations,
    "cache": _cache_directory,
    "shared": _what_is_shared,
}
