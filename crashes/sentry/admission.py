"""Which project a request's key opens. The key stands in a header, in the query, or in an envelope's first line."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from django.http import HttpRequest

from crashes.sentry.answers import missing_key, refused_key
from crashes.sentry.keys import open_key
from projects.models import Project

_HEADERS: Final = ("HTTP_X_SENTRY_AUTH", "HTTP_AUTHORIZATION")
_SCHEME: Final = re.compile(r"\s*sentry\s+(.*)", re.IGNORECASE | re.DOTALL)
_KEY: Final = "sentry_key"
_LONGEST_DSN: Final = 2_000


def key_of(request: HttpRequest) -> str | None:
    """The key that the headers or the query name; None where they name none."""
    for name in _HEADERS:
        found = _SCHEME.fullmatch(str(request.META.get(name, "")))
        if found is not None and (key := _field(found[1])) is not None:
            return key
    return request.GET.get(_KEY)


def key_of_dsn(dsn: object, project_id: int) -> str | None:
    """The key in a DSN. Raises BadReport (403) for one of another project; None for what is no DSN."""
    if not isinstance(dsn, str) or len(dsn) > _LONGEST_DSN:
        return None
    try:
        parts = urlsplit(dsn)
        key = unquote(parts.username or "")
    except ValueError:
        return None
    if not key:
        return None
    if parts.path.rstrip("/").rpartition("/")[2] != str(project_id):
        raise refused_key()
    return key


def open_project(key: str | None, project_id: int) -> Project:
    """The project of the address, opened by `key`. Raises BadReport: 401 without a key, 403 for one that does not."""
    if key is None:
        raise missing_key()
    project = open_key(key, project_id)
    if project is None:
        raise refused_key()
    return project


def _field(text: str) -> str | None:
    pairs = (part.partition("=") for part in re.split(r"[,\s]+", text))
    return next((value.strip() for name, _, value in pairs if name.strip() == _KEY), None)
