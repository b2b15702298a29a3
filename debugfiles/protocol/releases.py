"""Releases as an organization's: what clients do to them beyond a project's own addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import models, transaction

from core.api import not_found
from core.text import storable
from debugfiles import services
from debugfiles.models import VERSION_LENGTH, Release, ReleaseFile
from projects import audit
from projects.access import Actor, OrganizationAccess
from projects.models import Organization, Project


def visible_releases(access: OrganizationAccess) -> models.QuerySet[Release]:
    """The releases of the organization; for a token that is bound to a project, those that it is part of."""
    rows = Release.objects.filter(organization=access.organization)
    return rows if access.project_id is None else rows.filter(projects=access.project_id)


def open_release(access: OrganizationAccess, version: str) -> Release:
    """The release with this version, if the caller may see it. Raises NotFound."""
    if len(version) > VERSION_LENGTH or storable(version) != version:
        raise not_found()
    found = visible_releases(access).filter(version=version).prefetch_related("projects").first()
    if found is None:
        raise not_found()
    return found


def create_release(
    *, organization: Organization, projects: Sequence[Project], actor: Actor, version: str
) -> tuple[Release, bool]:
    """The release with this version, for the projects too, if any, and whether it is new. Raises ApiError (400)."""
    with transaction.atomic():
        made = services.create_release(organization=organization, projects=projects, actor=actor, version=version)
        if made[1] and not projects:
            audit.record(organization=organization, actor=actor, action="release.created", target=version, data={})
    return made


def update_release(
    *, release: Release, projects: Sequence[Project], actor: Actor, released_at: datetime | None
) -> Release:
    """Add projects to a release, and note when it came out (None: as it was)."""
    with transaction.atomic():
        held = Release.objects.select_for_update(no_key=True).get(pk=release.pk)
        held.projects.add(*projects)
        if released_at is not None and released_at != held.released_at:
            held.released_at = released_at
            held.save(update_fields=["released_at"])
            data = {"released_at": released_at.isoformat()}
            for project in held.projects.select_related("organization"):
                _record("release.finalized", project, actor, held.version, data)
    return held


def delete_release(*, release: Release, actor: Actor, project_id: int | None) -> None:
    """Remove a release with its single files; with `project_id`, from that project alone, as long as it has others.

    Bundles stay: they are found by debug ids too.
    """
    with transaction.atomic():
        held = Release.objects.select_for_update().get(pk=release.pk)
        leaving = held.projects.select_related("organization")
        if project_id is not None:
            leaving = leaving.filter(pk=project_id)
        gone = list(leaving)
        ReleaseFile.objects.filter(release=held, project__in=gone).delete()
        held.projects.remove(*gone)
        for project in gone:
            _record("release.deleted", project, actor, held.version, {})
        if not held.projects.exists():
            held.delete()


def _record(action: str, project: Project, actor: Actor, version: str, data: Mapping[str, str]) -> None:
    audit.record(
        organization=project.organization, project=project, actor=actor, action=action, target=version, data=data
    )
