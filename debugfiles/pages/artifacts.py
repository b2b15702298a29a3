"""Artifact bundles and releases of a project, and the files in them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe
from rest_framework.exceptions import NotFound

from core.pages import page, redirect_to
from debugfiles import services
from debugfiles.bundles import file_name, text_key
from debugfiles.models import ArtifactBundle, ArtifactEntry, Release, ReleaseFile
from debugfiles.pages.files import rights
from debugfiles.pages.listing import listed, text_of
from debugfiles.pages.words import commands
from debugfiles.retention.policy import policy_of
from debugfiles.upload_views import SCOPES
from engine.modules import DebugId
from projects.access import ProjectAccess
from projects.models import Project
from projects.pages import project_page

_MOST_FOUND = 100


@require_safe
@project_page(*SCOPES["GET"])
def bundles(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """All bundles; or the files, in bundles and of releases, that have a debug id or a URL."""
    text, release = text_of(request, "query"), text_of(request, "release")
    rows = ArtifactBundle.objects.filter(projects=access.project).select_related("blob")
    if release:
        rows = rows.filter(organization=access.organization, release=release)
    found, policy = listed(request, rows), policy_of(access.project)
    values = {
        "bundles": [(row, policy.expires_at(row.last_used)) for row in found.rows],
        "page": found,
        "query": text,
        "release": release,
        "commands": commands(request, access),
        **(_search(access.project, text) if text else {}),
    }
    return page(request, "debugfiles/bundles.html", values | rights(access))


@require_safe
@project_page(*SCOPES["GET"])
def bundle(request: HttpRequest, access: ProjectAccess, bundle_id: int) -> HttpResponse:
    """A bundle and its files."""
    row = ArtifactBundle.objects.filter(projects=access.project, pk=bundle_id).select_related("blob").first()
    if row is None:
        raise NotFound
    text = text_of(request, "query")
    entries = ArtifactEntry.objects.filter(bundle=row)
    found = listed(request, entries.filter(_of_bundle(text)) if text else entries)
    values = {
        "bundle": row,
        "entries": found.rows,
        "page": found,
        "query": text,
        "expires": policy_of(access.project).expires_at(row.last_used),
    }
    return page(request, "debugfiles/bundle.html", values | rights(access))


@require_POST
@project_page(*SCOPES["DELETE"])
def delete_bundle(request: HttpRequest, access: ProjectAccess, bundle_id: int) -> HttpResponse:
    """Take a bundle from the project."""
    services.delete_artifact_bundle(project=access.project, actor=access.actor, bundle_id=bundle_id)
    messages.success(request, "The bundle is no longer part of this project.")
    return redirect_to(request, "files:bundles", access.organization.slug, access.project.slug)


@require_safe
@project_page(*SCOPES["GET"])
def releases(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """The releases that the project is part of."""
    found = listed(request, Release.objects.filter(projects=access.project))
    values = {"releases": found.rows, "page": found, "commands": commands(request, access)}
    return page(request, "debugfiles/releases.html", values)


@require_safe
@project_page(*SCOPES["GET"])
def release(request: HttpRequest, access: ProjectAccess, release_id: int) -> HttpResponse:
    """A release: its bundles in this project, and its single files."""
    row = Release.objects.filter(projects=access.project, pk=release_id).first()
    if row is None:
        raise NotFound
    files = ReleaseFile.objects.filter(project=access.project, release=row).select_related("blob")
    found = listed(request, files)
    bundles_of = ArtifactBundle.objects.filter(
        organization=access.organization, projects=access.project, release=row.version
    )
    values: dict[str, Any] = {
        "release": row,
        "files": found.rows,
        "page": found,
        "bundles": list(bundles_of.order_by("-pk")[:_MOST_FOUND]),
        "dists": list(row.dists.order_by("-pk").values_list("name", flat=True)[:_MOST_FOUND]),
    }
    return page(request, "debugfiles/release.html", values)


def _search(project: Project, text: str) -> dict[str, Any]:
    """Files with a debug id, or with a URL or the name at its end; the newest ones."""
    asked = _named(text)
    entries: QuerySet[ArtifactEntry] = ArtifactEntry.objects.filter(
        organization_id=project.organization_id, bundle__projects=project
    )
    debug_id = DebugId.parse(text)
    of_bundles = entries.filter(asked if debug_id is None else asked | Q(debug_uuid=debug_id.uuid))
    singles = ReleaseFile.objects.filter(asked, project=project).select_related("release")
    return {
        "entries": list(of_bundles.select_related("bundle").order_by("-pk")[:_MOST_FOUND]),
        "singles": list(singles.order_by("-pk")[:_MOST_FOUND]),
    }


def _named(text: str) -> Q:
    """A file by its name: what a URL ends with."""
    return Q(name_key=text_key(file_name(text) or text))


def _of_bundle(text: str) -> Q:
    """Files of one bundle, which are few enough to be looked through."""
    debug_id = DebugId.parse(text)
    found = Q(url__icontains=text)
    return found if debug_id is None else found | Q(debug_uuid=debug_id.uuid)
