"""Writes of releases."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from core.api import ApiError
from core.text import storable
from debugfiles.models import DIST_LENGTH, VERSION_LENGTH, Dist, Release
from debugfiles.recording import record
from projects.access import Actor
from projects.models import Organization, Project


def create_release(
    *, organization: Organization, projects: Sequence[Project], actor: Actor, version: str
) -> tuple[Release, bool]:
    """The release with this version, for the projects too, and whether it is new. Raises ApiError (400)."""
    check_version(version)
    with transaction.atomic():
        found, created = ensure_release(organization, projects, version, "")
        if created:
            for project in projects:
                record("release.created", project, actor, version, {})
    return found, created


def finalize_release(*, release: Release, project: Project, actor: Actor) -> Release:
    """Note that a release is out, if nobody did before."""
    with transaction.atomic():
        if Release.objects.filter(pk=release.pk, released_at=None).update(released_at=timezone.now()):
            record("release.finalized", project, actor, release.version, {})
    release.refresh_from_db()
    return release


def ensure_release(
    organization: Organization, projects: Sequence[Project], version: str, dist: str
) -> tuple[Release, bool]:
    """The release and its dist, made if need be, for the projects too; whether it is new. Inside a transaction."""
    release, created = Release.objects.get_or_create(organization=organization, version=version)
    release.projects.add(*projects)
    if dist:
        Dist.objects.get_or_create(release=release, name=dist)
    return release, created


def check_version(version: str, *, optional: bool = False) -> None:
    """Raises ApiError for what cannot be a release's version."""
    if not version and optional:
        return
    problem = not version.strip() or version in {".", "..", "latest"} or len(version) > VERSION_LENGTH
    if problem or any(char in "/\\\n\r\t\f" for char in version) or storable(version) != version:
        text = f"version: 1 to {VERSION_LENGTH} characters without slashes and line breaks; not `.`, `..` or `latest`"
        raise ApiError(text, field="version")


def check_dist(dist: str, version: str) -> None:
    """Raises ApiError for what cannot be a dist, and for one without a release."""
    if dist and not version:
        raise ApiError("dist: needs a release", field="dist")
    if len(dist) > DIST_LENGTH or storable(dist) != dist:
        raise ApiError(f"dist: at most {DIST_LENGTH} characters", field="dist")
