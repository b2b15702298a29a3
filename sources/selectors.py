"""Reading stored sources, and how they look in answers: as they were sent, secrets as markers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from django.db.models import QuerySet

from core.api import ApiError
from core.text import storable
from projects.models import Organization, Project
from sources.fields import hidden, shown_path
from sources.models import SOURCE_ID_LENGTH, SymbolSource
from sources.types import SECRET_NAMES, TYPES

MAX_NOTICES: Final = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where sources are kept: a project, or the organization for all of its projects."""

    organization: Organization
    project: Project | None = None

    def sources(self) -> QuerySet[SymbolSource]:
        """The sources kept here, in order."""
        return SymbolSource.objects.filter(organization=self.organization, project=self.project)


def unknown_source(source_id: str) -> ApiError:
    """The refusal of an id that names no source here."""
    return ApiError(f"Unknown source id: {shown_path(source_id)}", status=404, code="unknown_source")


def find_source(place: Place, source_id: str, *, lock: bool = False) -> SymbolSource:
    """The source with this id; `lock` holds its row until the transaction ends. Raises ApiError (404)."""
    if len(source_id) > SOURCE_ID_LENGTH or storable(source_id) != source_id:
        raise unknown_source(source_id)
    rows = place.sources().select_for_update() if lock else place.sources()
    row = rows.filter(source_id=source_id).first()
    if row is None:
        raise unknown_source(source_id)
    return row


def shown(row: SymbolSource) -> dict[str, Any]:
    """A source as answers show it. Whatever its type, nothing that is a secret by name of any type comes through."""
    config = row.fields
    kind = TYPES.get(row.type)
    order = [entry.name for entry in kind.fields] if kind else []
    names = [name for name in order if name in config] + [name for name in config if name not in order]
    head = {"id": row.source_id, "type": row.type, "name": row.name}
    return {**head, **{name: _redacted(name, config[name]) for name in names if name not in head}}


def notices(rows: Iterable[SymbolSource]) -> list[str]:
    """What people should know about sources that are stored and cannot work yet, for HTTP headers."""
    texts = []
    for row in rows:
        if not row.enabled:
            texts.append(f"source {quote(row.source_id)} is switched off")
        kind = TYPES.get(row.type)
        lacking = kind.missing(row.fields) if kind else ()
        if lacking:
            texts.append(f"source {quote(row.source_id)} is not configured: {', '.join(lacking)} is missing")
    return texts[:MAX_NOTICES]


def _redacted(name: str, value: Any) -> Any:
    if name in SECRET_NAMES:
        return hidden()
    if isinstance(value, Mapping):
        return {inner: _redacted(inner, item) for inner, item in value.items()}
    if isinstance(value, list):
        return [_redacted("", item) for item in value]
    return value
