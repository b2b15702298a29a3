"""Writes of artifact bundles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import transaction

from core.api import ApiError, not_found
from debugfiles.arrivals import ArrivalKind, Arrived, announce
from debugfiles.bundles import Contents, Entry, file_name, read_bundle, text_key
from debugfiles.contents import keep_content, touch
from debugfiles.identify import Upload, shown_name
from debugfiles.models import ArtifactBundle, ArtifactEntry, Blob
from debugfiles.recording import count_change, record
from debugfiles.retention.room import check_room, make_room
from debugfiles.services.releases import check_dist, check_version, ensure_release
from engine.errors import LookupFailure
from projects.access import Actor
from projects.models import Organization, Project

_ENTRIES_AT_ONCE: Final = 2000


def store_artifact_bundle(
    *, organization: Organization, projects: Sequence[Project], actor: Actor, upload: Upload, release: str, dist: str
) -> ArtifactBundle:
    """A bundle for `projects` of the organization, every file of it indexed.

    An empty `release` or `dist` is taken from the manifest. The same content for the same release is one bundle, which
    the projects are added to. Raises ApiError (400) for what is no bundle, (413) over a project's quota, and BlobError.
    """
    contents = _contents(upload)
    release, dist = release or contents.release, dist or contents.dist
    check_version(release, optional=True)
    check_dist(dist, release)
    for project in projects:
        check_room(project, upload.incoming)
    blob = keep_content(upload.incoming)
    with transaction.atomic():
        bundle = _bundle(organization, blob, release, dist, shown_name(upload.name), contents)
        had = set(bundle.projects.values_list("pk", flat=True))
        bundle.projects.add(*projects)
        if release:
            ensure_release(organization, projects, release, dist)
        data = {"release": release, "dist": dist, "files": len(contents.entries), "sha1": blob.sha1}
        # In one order always: two uploads that wait for each other's projects would wait for ever.
        for project in sorted(projects, key=lambda one: one.pk):
            record("artifact_bundle.uploaded", project, actor, bundle.bundle_id or bundle.name, data)
            if project.pk not in had:
                make_room(project, actor, blob)
                announce(Arrived(project.pk, ArrivalKind.ARTIFACT_BUNDLE, (bundle.pk,)))
                count_change(project)
    return bundle


def delete_artifact_bundle(*, project: Project, actor: Actor, bundle_id: int) -> None:
    """Take a bundle from the project; it is gone when no project has it any more. Raises NotFound."""
    with transaction.atomic():
        found = ArtifactBundle.objects.select_for_update().filter(projects=project, pk=bundle_id).first()
        if found is None:
            raise not_found()
        found.projects.remove(project)
        data = {"release": found.release, "dist": found.dist}
        record("artifact_bundle.deleted", project, actor, found.bundle_id or found.name, data)
        if not found.projects.exists():
            found.delete()


def _bundle(
    organization: Organization, blob: Blob, release: str, dist: str, name: str, contents: Contents
) -> ArtifactBundle:
    """The bundle, locked and just used; its files are indexed when it is new."""
    bundle, created = ArtifactBundle.objects.select_for_update().get_or_create(
        organization=organization,
        blob=blob,
        release=release,
        dist=dist,
        defaults={"bundle_id": contents.bundle_id, "name": name, "file_count": len(contents.entries)},
    )
    if created:
        _index(bundle, contents.entries)
    touch(ArtifactBundle, [bundle.pk])
    return bundle


def _contents(upload: Upload) -> Contents:
    try:
        return read_bundle(upload.incoming.path)
    except LookupFailure as failure:
        message = f"{shown_name(upload.name)}: not an artifact bundle that can be read: {failure.details}"
        raise ApiError(message, code="malformed", field="file") from None


def _index(bundle: ArtifactBundle, entries: Iterable[Entry]) -> None:
    rows = (
        ArtifactEntry(
            bundle=bundle,
            organization_id=bundle.organization_id,
            debug_uuid=entry.debug_id,
            kind=entry.kind,
            url=entry.url,
            url_key=text_key(entry.url),
            name_key=text_key(file_name(entry.url)),
        )
        for entry in entries
    )
    ArtifactEntry.objects.bulk_create(rows, batch_size=_ENTRIES_AT_ONCE)
