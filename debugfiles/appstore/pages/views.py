"""How a project's imports stand, and asking for one now."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe
from rest_framework.exceptions import NotFound

from core.pages import page, redirect_to
from debugfiles.appstore.bodies import AppStoreStatus
from debugfiles.appstore.selectors import app_store_sources, status_of
from debugfiles.appstore.services import TYPE, request_import
from projects.access import ProjectAccess
from projects.pages import project_page
from sources.api import PROJECT_SCOPES
from sources.models import SymbolSource

# A word for people, and how it is coloured.
_STATES: Final = MappingProxyType(
    {
        "new": ("not run yet", ""),
        "running": ("running", "info"),
        "ok": ("up to date", "good"),
        "going_on": ("going on", "info"),
        "delayed": ("delayed", "warn"),
        "refused": ("refused", "bad"),
        "not_configured": ("not configured", "warn"),
        "inherited": ("not imported", ""),
    }
)


@dataclass(frozen=True, slots=True)
class Shown:
    """An import as the page shows it."""

    source: SymbolSource
    status: AppStoreStatus
    word: str
    colour: str

    @property
    def may_run(self) -> bool:
        return self.source.project_id is not None and self.source.enabled


@require_safe
@project_page(*PROJECT_SCOPES["GET"])
def imports(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """Each App Store Connect source with what was imported, what is to come, and what went wrong."""
    values = {
        "imports": [_shown(source) for source in app_store_sources(access)],
        "may_write": not access.scopes.isdisjoint(PROJECT_SCOPES["POST"]),
    }
    return page(request, "appstore/imports.html", values)


@require_POST
@project_page(*PROJECT_SCOPES["POST"])
def run(request: HttpRequest, access: ProjectAccess, source: uuid.UUID) -> HttpResponse:
    """Have a source imported now, builds that were set aside included."""
    row = SymbolSource.objects.filter(pk=source, project=access.project, type=TYPE).first()
    if row is None:
        raise NotFound
    row.organization, row.project = access.organization, access.project
    request_import(source=row, actor=access.actor)
    messages.success(request, f"{row.name or row.source_id} will be imported in a moment.")
    return redirect_to(request, "appstore_pages:imports", access.organization.slug, access.project.slug)


def _shown(source: SymbolSource) -> Shown:
    status = status_of(source)
    word, colour = _STATES[status.state] if source.enabled else ("off", "")
    return Shown(source, status, word, colour)
