"""What the installation stands on: database, blobs, this host's cache, versions, and settings."""

from __future__ import annotations

import platform
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection

from core.blobs import blob_store
from core.installation import problems
from crashes.scrubbing import scrub_text
from symbolsvc.environment import SETTINGS
from symbolsvc.running import cache_report

_PACKAGES: Final = ("symbolic", "Django", "procrastinate", "gunicorn")


@dataclass(frozen=True, slots=True)
class Database:
    """Its version, and the bytes that it takes."""

    version: str
    bytes: int
    connections: int


@dataclass(frozen=True, slots=True)
class Blobs:
    """Which kind of store, where, and the bytes that are stored for crashes and files, as far as rows tell.

    `problems`: what this host does not share with the others.
    """

    kind: str
    place: str
    bytes: int
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class Cache:
    """The cache directory of the host that answers, as its keeper last found it; None where it has not looked yet."""

    host: str
    directory: str
    found: cache_report.Report | None

    @property
    def share(self) -> int:
        """Per cent of the limit."""
        return 0 if self.found is None else min(100, round(100 * self.found.bytes / max(self.found.most_bytes, 1)))


def database() -> Database:
    """About the database itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), pg_database_size(current_database()),"
            " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())"
        )
        return Database(*cursor.fetchone())


def blobs() -> Blobs:
    """About the blob store; its place never shows keys."""
    kind = type(blob_store()).__name__.removesuffix("Store")
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(stored_bytes), 0) FROM crashes_crash")
        (stored,) = cursor.fetchone()
    return Blobs(kind, store_name(), int(stored), problems())


def store_name() -> str:
    """Where the blobs lie, as the settings have it, without keys."""
    return scrub_text(settings.ENVIRONMENT["BLOB_STORE"] or "in the data directory")


def cache() -> Cache:
    """About the cache of this host."""
    root = Path(settings.CACHE_DIR)
    return Cache(socket.gethostname(), str(root), cache_report.read(root))


def versions(database_version: str) -> list[tuple[str, str]]:
    """What runs here."""
    own = str(settings.SPECTACULAR_SETTINGS["VERSION"])
    known = [("symbolsvc", own), ("Python", platform.python_version()), ("PostgreSQL", database_version)]
    return known + [(name, _version(name)) for name in _PACKAGES]


def changed_settings() -> list[tuple[str, str]]:
    """Settings that are not as they are by default, without the values of secrets."""
    found = []
    for setting in SETTINGS:
        value = settings.ENVIRONMENT[setting.name]
        if value != setting.parse(setting.default or ""):
            found.append((setting.name, "set" if setting.secret else _shown(value)))
    return found


def _shown(value: Any) -> str:
    text = ", ".join(str(part) for part in value) if isinstance(value, tuple | list) else str(value)
    return scrub_text(text)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
