"""The debug files of a project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe
from rest_framework.exceptions import NotFound

from core.pages import page, redirect_to
from debugfiles import services
from debugfiles.finding import searched
from debugfiles.models import DebugFile
from debugfiles.pages.listing import listed, text_of
from debugfiles.pages.words import FEATURES, KINDS, SYMBOL_TYPES, commands
from debugfiles.retention.policy import Policy, policy_of
from debugfiles.upload_views import DOWNLOAD, SCOPES
from projects.access import ProjectAccess
from projects.models import Project
from projects.pages import project_page


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A debug file as it is listed. `features` are pairs: the word, and what it is good for."""

    row: DebugFile
    type: str
    kind: str
    features: list[tuple[str, str]]
    expires: datetime | None


@require_safe
@project_page(*SCOPES["GET"])
def files(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """All debug files, or those that somebody searches for."""
    text, kind = text_of(request, "query"), text_of(request, "kind")
    found = listed(request, _found(access.project, text, kind))
    policy = policy_of(access.project)
    values = {
        "files": [_shown(row, policy) for row in found.rows],
        "page": found,
        "query": text,
        "kind": kind,
        "types": sorted(SYMBOL_TYPES.items(), key=lambda pair: pair[1].lower()),
        "searching": bool(text or kind or found.newer),
        "commands": commands(request, access),
    }
    return page(request, "debugfiles/files.html", values | rights(access))


@require_safe
@project_page(*SCOPES["GET"])
def file(request: HttpRequest, access: ProjectAccess, file_id: int) -> HttpResponse:
    """One debug file."""
    row = DebugFile.objects.filter(project=access.project, pk=file_id).select_related("blob").first()
    if row is None:
        raise NotFound
    values = {"file": _shown(row, policy_of(access.project))}
    return page(request, "debugfiles/file.html", values | rights(access))


@require_POST
@project_page(*SCOPES["DELETE"])
def delete(request: HttpRequest, access: ProjectAccess, file_id: int) -> HttpResponse:
    """Delete a debug file."""
    services.delete_debug_file(project=access.project, actor=access.actor, file_id=file_id)
    messages.success(request, "Deleted. Symbolication does without it from now on.")
    return redirect_to(request, "files:files", access.organization.slug, access.project.slug)


def rights(access: ProjectAccess) -> dict[str, Any]:
    """What of the uploads whoever looks may do."""
    return {
        "may_upload": not access.scopes.isdisjoint(SCOPES["POST"]),
        "may_delete": not access.scopes.isdisjoint(SCOPES["DELETE"]),
        "may_download": not access.scopes.isdisjoint(DOWNLOAD),
    }


def _found(project: Project, text: str, kind: str) -> QuerySet[DebugFile]:
    rows = DebugFile.objects.filter(project=project)
    if text:
        rows = rows.filter(searched(text))
    return rows.filter(symbol_type=kind) if kind else rows


def _shown(row: DebugFile, policy: Policy) -> ShownFile:
    return ShownFile(
        row=row,
        type=SYMBOL_TYPES.get(row.symbol_type, row.symbol_type),
        kind=KINDS.get(row.kind, row.kind),
        features=[(word, FEATURES.get(word, "")) for word in row.features],
        expires=policy.expires_at(row.last_used),
    )
