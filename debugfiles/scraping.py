"""From where, and with which headers, a project's scripts and source maps may be fetched from the web.

The values of headers are secrets: sealed in the database, revealed for the engine alone.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from django.db import transaction

from core import encryption
from core.api import ApiError
from core.encryption import EncryptionError, Sealed
from debugfiles.models import Scraping
from engine.javascript.wire import ScrapingRules
from projects import audit
from projects.access import Actor, ProjectAccess
from projects.models import Project

log = logging.getLogger(__name__)

ANY: Final = ("*",)
MAX_ORIGINS: Final = 100
MAX_HEADERS: Final = 32
_ORIGIN: Final = re.compile(r"[^\s\x00-\x1f\x7f]{1,512}")
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_VALUE: Final = re.compile(r"[\x20-\x7e]{1,4096}")
_BATCH: Final = 100


def scraping_of(access: ProjectAccess) -> ScrapingRules:
    """The rules of the opened project; one query. Headers that cannot be revealed are left out, and logged."""
    row = Scraping.objects.filter(project=access.project).first()
    if row is None:
        return ScrapingRules()
    try:
        headers = reveal_headers(row)
    except EncryptionError as error:
        log.error("the headers for scraping cannot be read: %s", error.message, extra={"project": row.project_id})
        headers = {}
    return ScrapingRules(row.enabled, tuple(row.allowed_origins), tuple(headers.items()), row.verify_ssl)


def stored_scraping(project: Project) -> Scraping:
    """What is stored, else an unsaved row with the defaults."""
    found = Scraping.objects.filter(project=project).first()
    return found or Scraping(project=project, allowed_origins=list(ANY))


def set_scraping(
    *,
    project: Project,
    actor: Actor,
    enabled: bool,
    allowed_origins: Sequence[str],
    headers: Mapping[str, str | None],
    verify_ssl: bool,
) -> Scraping:
    """Replace the rules. A header of None keeps its value.

    Raises ApiError (400): malformed origins or headers, headers that any host would be sent, and kept values that
    would go to more places than before.
    """
    _check(allowed_origins, headers)
    with transaction.atomic():
        # The project's row is held, so that two first writers wait for each other.
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        row = stored_scraping(project)
        _set_headers(row, headers, allowed_origins)
        row.enabled, row.verify_ssl, row.allowed_origins = enabled, verify_ssl, list(allowed_origins)
        row.save()
        data = {
            "enabled": enabled,
            "allowed_origins": list(allowed_origins),
            "verify_ssl": verify_ssl,
            "header_names": row.header_names,
        }
        audit.record(
            organization=project.organization,
            project=project,
            actor=actor,
            action="scraping.changed",
            target=project.slug,
            data=data,
        )
    return row


def reveal_headers(row: Scraping) -> dict[str, str]:
    """The headers in clear. Raises EncryptionError."""
    return {} if row.headers is None else encryption.reveal(_sealed(row), bound_to=_binding(row))


def rotate_headers(report: Callable[[str], None]) -> int:
    """Put all headers under the newest key; how many there were. What cannot be read is reported in words."""
    count, last = 0, 0
    while rows := _outdated(last):
        for row in rows:
            try:
                sealed = encryption.rotate(_sealed(row))
            except EncryptionError as error:
                report(f"scraping of project {row.project_id}: {error.message}")
                continue
            # Whoever stored other headers meanwhile did so under the newest key.
            unchanged = Scraping.objects.filter(pk=row.pk, headers_key=row.headers_key, headers=row.headers)
            count += unchanged.update(headers=sealed.ciphertext, headers_key=sealed.key_id)
        last = rows[-1].project_id
    return count


def _outdated(after: int) -> list[Scraping]:
    rows = Scraping.objects.exclude(headers=None).exclude(headers_key=encryption.newest_key_id())
    return list(rows.filter(project_id__gt=after).order_by("project_id")[:_BATCH])


def _check(origins: Sequence[str], headers: Mapping[str, str | None]) -> None:
    if len(origins) > MAX_ORIGINS or any(_ORIGIN.fullmatch(origin) is None for origin in origins):
        text = f"allowed_origins: at most {MAX_ORIGINS}, each 1 to 512 characters without spaces"
        raise ApiError(text, field="allowed_origins")
    lowered = {name.lower() for name in headers}
    if len(headers) > MAX_HEADERS or len(lowered) != len(headers) or not all(map(_NAME.fullmatch, headers)):
        raise ApiError(f"headers: at most {MAX_HEADERS}, each named once, by a header's name", field="headers")
    for name, value in headers.items():
        if value is not None and _VALUE.fullmatch(value) is None:
            raise ApiError(f"headers.{name}: 1 to 4096 printable characters", field=f"headers.{name}")
    if headers and any(_is_anywhere(origin) for origin in origins):
        text = "headers: would be sent to every host; name the hosts in allowed_origins"
        raise ApiError(text, field="headers")


def _is_anywhere(origin: str) -> bool:
    host = origin.rpartition("://")[2].partition("/")[0].partition(":")[0]
    return host == "*"


def _set_headers(row: Scraping, headers: Mapping[str, str | None], origins: Sequence[str]) -> None:
    kept = [name for name, value in headers.items() if value is None]
    values = {name: value for name, value in headers.items() if value is not None}
    if kept:
        stored = reveal_headers(row)
        _check_kept(row, stored, kept, origins)
        values = {name: stored[name] if value is None else value for name, value in headers.items()}
    row.header_names = list(headers)
    if not values:
        row.headers, row.headers_key = None, ""
        return
    sealed = encryption.seal(dict(values), bound_to=_binding(row))
    row.headers, row.headers_key = sealed.ciphertext, sealed.key_id


def _check_kept(row: Scraping, stored: Mapping[str, str], kept: Sequence[str], origins: Sequence[str]) -> None:
    for name in kept:
        if name not in stored:
            raise ApiError(f"headers.{name}: no value is stored that could be kept", field=f"headers.{name}")
    if not set(origins) <= set(row.allowed_origins):
        text = f"headers.{kept[0]}: must be sent again, since it would be sent to other places"
        raise ApiError(text, field=f"headers.{kept[0]}")


def _sealed(row: Scraping) -> Sealed:
    return Sealed(key_id=row.headers_key, ciphertext=bytes(row.headers or b""))


def _binding(row: Scraping) -> str:
    return f"scraping of project {row.project_id}"
