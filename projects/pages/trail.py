"""The page of the audit trail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from core.pages import page
from core.text import storable
from projects.access import OrganizationAccess
from projects.api import ADMINISTRATE
from projects.audit import MASK
from projects.models import AuditEntry, Project
from projects.pages.opening import organization_page
from projects.slugs import parse_ref

_ON_A_PAGE: Final = 50
_LATELY: Final = 1_000
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry, and what it changed as text by name."""

    entry: AuditEntry
    changes: list[tuple[str, str]]


@require_safe
@organization_page(*ADMINISTRATE)
def trail(request: HttpRequest, access: OrganizationAccess) -> HttpResponse:
    """Who did what, newest first. The filters are in the address: `action`, `who`, `project`; `before` is an id."""
    entries = AuditEntry.objects.filter(organization=access.organization)
    known = sorted(set(entries.order_by("-id").values_list("action", flat=True)[:_LATELY]))
    rows = _filtered(request, entries).select_related("user", "project")
    found = list(rows.order_by("-id")[: _ON_A_PAGE + 1])
    shown = found[:_ON_A_PAGE]
    values = {
        "entries": [ShownEntry(entry, _changes(entry.data)) for entry in shown],
        "actions": known,
        "projects": Project.objects.filter(organization=access.organization).order_by("slug"),
        "older": shown[-1].pk if len(found) > _ON_A_PAGE else None,
        "filtered": any(request.GET.get(name) for name in ("action", "who", "project")),
    }
    return page(request, "projects/trail.html", values)


def _filtered(request: HttpRequest, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    asked = {name: storable(request.GET.get(name, "").strip())[:_LONGEST] for name in ("action", "who", "project")}
    if asked["action"]:
        entries = entries.filter(action__startswith=asked["action"])
    if asked["who"]:
        who = asked["who"].rstrip("…")
        entries = entries.filter(Q(user__email__icontains=who) | Q(token_prefix__startswith=who))
    if asked["project"]:
        entries = entries.filter(project__slug=asked["project"])
    before = parse_ref(request.GET.get("before", ""))
    return entries.filter(pk__lt=before) if isinstance(before, int) else entries


def _changes(data: Any) -> list[tuple[str, str]]:
    if not isinstance(data, dict):
        return [("", _as_text(data))]
    return [(name, _as_text(value)) for name, value in data.items()]


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value == MASK:
        return "(secret)"
    return json.dumps(value, ensure_ascii=False)
