"""Every write of debug files, bundles, releases and their files: one transaction and one audit entry each.

Contents are stored before the transaction begins (see contents.py), and looked into before they are stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.api import ApiError, not_found
from core.text import storable
from debugfiles.bundles import Contents, Entry, file_name, read_bundle, text_key
from debugfiles.contents import keep_content, touch
from debugfiles.identify import Upload, identify, shown_name
from debugfiles.kinds import Identified
from debugfiles.models import (
    DIST_LENGTH,
    NAME_LENGTH,
    URL_LENGTH,
    VERSION_LENGTH,
    ArtifactBundle,
    ArtifactEntry,
    Blob,
    DebugFile,
    Dist,
    Release,
    ReleaseFile,
    Uploads,
)
from engine.errors import LookupFailure
from projects import audit
from projects.access import Actor
from projects.models import Organization, Project

_ENTRIES_AT_ONCE: Final = 2000
_MAX_HEADERS: Final = 32
_HEADER_LENGTH: Final = 4096


def store_debug_file(*, project: Project, actor: Actor, upload: Upload) -> list[DebugFile]:
    """The debug files that an upload holds: one, or of a fat file one for each object. What is there stays as it is.

    Raises ApiError (400, 503) as `identify`, and BlobError.
    """
    objects = identify(upload)
    blob = keep_content(upload.incoming)
    with transaction.atomic():
        made = [_debug_file(project, blob, upload.name, item) for item in objects]
        fresh = [row for row, created in made if created]
        touch(DebugFile, [row.pk for row, created in made if not created])
        if fresh:
            data = {"ids": [row.debug_id or row.code_id for row in fresh], "size": blob.size, "sha1": blob.sha1}
            _record("debug_file.uploaded", project, actor, shown_name(upload.name), data)
            _count_change(project)
    return [row for row, _ in made]


def delete_debug_file(*, project: Project, actor: Actor, file_id: int) -> None:
    """Remove a debug file of the project. Raises NotFound."""
    with transaction.atomic():
        row = DebugFile.objects.select_for_update().filter(project=project, pk=file_id).first()
        if row is None:
            raise not_found()
        row.delete()
        data = {"ids": [row.debug_id or row.code_id], "sha1": row.checksum}
        _record("debug_file.deleted", project, actor, row.object_name, data)
        _count_change(project)


def store_artifact_bundle(
    *, organization: Organization, projects: Sequence[Project], actor: Actor, upload: Upload, release: str, dist: str
) -> ArtifactBundle:
    """A bundle for `projects` of the organization, every file of it indexed.

    An empty `release` or `dist` is taken from the manifest. The same content for the same release is one bundle, which
    the projects are added to. Raises ApiError (400) for what is no bundle, and BlobError.
    """
    contents = _contents(upload)
    release, dist = release or contents.release, dist or contents.dist
    check_version(release, optional=True)
    check_dist(dist, release)
    blob = keep_content(upload.incoming)
    with transaction.atomic():
        bundle, created = ArtifactBundle.objects.get_or_create(
            organization=organization,
            blob=blob,
            release=release,
            dist=dist,
            defaults={
                "bundle_id": contents.bundle_id,
                "name": shown_name(upload.name),
                "file_count": len(contents.entries),
            },
        )
        if created:
            _index(bundle, contents.entries)
        touch(ArtifactBundle, [bundle.pk])
        bundle.projects.add(*projects)
        if release:
            _ensure_release(organization, projects, release, dist)
        data = {"release": release, "dist": dist, "files": len(contents.entries), "sha1": blob.sha1}
        for project in projects:
            _record("artifact_bundle.uploaded", project, actor, bundle.bundle_id or bundle.name, data)
    return bundle


def delete_artifact_bundle(*, project: Project, actor: Actor, bundle_id: int) -> None:
    """Take a bundle from the project; it is gone when no project has it any more. Raises NotFound."""
    with transaction.atomic():
        found = ArtifactBundle.objects.select_for_update().filter(projects=project, pk=bundle_id).first()
        if found is None:
            raise not_found()
        found.projects.remove(project)
        data = {"release": found.release, "dist": found.dist}
        _record("artifact_bundle.deleted", project, actor, found.bundle_id or found.name, data)
        if not found.projects.exists():
            found.delete()


def create_release(
    *, organization: Organization, projects: Sequence[Project], actor: Actor, version: str
) -> tuple[Release, bool]:
    """The release with this version, for the projects too, and whether it is new. Raises ApiError (400)."""
    check_version(version)
    with transaction.atomic():
        found, created = _ensure_release(organization, projects, version, "")
        if created:
            for project in projects:
                _record("release.created", project, actor, version, {})
    return found, created


def finalize_release(*, release: Release, project: Project, actor: Actor) -> Release:
    """Note that a release is out, if nobody did before."""
    with transaction.atomic():
        if Release.objects.filter(pk=release.pk, released_at=None).update(released_at=timezone.now()):
            _record("release.finalized", project, actor, release.version, {})
    release.refresh_from_db()
    return release


def store_release_file(
    *, project: Project, actor: Actor, release: Release, upload: Upload, dist: str, headers: Mapping[str, str]
) -> ReleaseFile:
    """A single file of a release; the one that has been there under the same name and dist is replaced.

    `upload.name` is the URL. Raises ApiError (400) and BlobError.
    """
    name, kept = storable(upload.name), _checked_headers(headers)
    if not name or len(name) > URL_LENGTH:
        raise ApiError(f"name: a text of 1 to {URL_LENGTH} characters", field="name")
    check_dist(dist, release.version)
    blob = keep_content(upload.incoming)
    same = {"release": release, "project": project, "dist": dist, "url_key": text_key(name)}
    with transaction.atomic():
        # What is behind an id never changes, so a replaced file has another; two replacements wait for each other.
        Release.objects.select_for_update(no_key=True).get(pk=release.pk)
        ReleaseFile.objects.filter(**same).delete()
        row = ReleaseFile.objects.create(**same, name=name, name_key=text_key(file_name(name)), headers=kept, blob=blob)
        if dist:
            Dist.objects.get_or_create(release=release, name=dist)
        data = {"release": release.version, "dist": dist, "sha1": blob.sha1}
        _record("release_file.uploaded", project, actor, name, data)
    return row


def delete_release_file(*, project: Project, actor: Actor, release: Release, file_id: int) -> None:
    """Remove a file of a release. Raises NotFound."""
    with transaction.atomic():
        row = ReleaseFile.objects.filter(project=project, release=release, pk=file_id).first()
        if row is None:
            raise not_found()
        row.delete()
        _record("release_file.deleted", project, actor, row.name, {"release": release.version, "dist": row.dist})


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


def _debug_file(project: Project, blob: Blob, name: str, item: Identified) -> tuple[DebugFile, bool]:
    debug_id = item.debug_id
    return DebugFile.objects.get_or_create(
        project=project,
        blob=blob,
        object_index=item.index,
        debug_id="" if debug_id is None else str(debug_id),
        defaults={
            "object_offset": item.offset,
            "object_size": item.size,
            "debug_uuid": None if debug_id is None else debug_id.uuid,
            "debug_appendix": 0 if debug_id is None else debug_id.appendix,
            "code_id": item.code_id,
            "file_types": [file_type.value for file_type in item.file_types],
            "symbol_type": item.symbol_type.value,
            "kind": item.kind[:16],
            "cpu": item.cpu[:32],
            "features": list(item.features),
            "object_name": shown_name(name)[:NAME_LENGTH],
            "checksum": blob.sha1,
        },
    )


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


def _ensure_release(
    organization: Organization, projects: Sequence[Project], version: str, dist: str
) -> tuple[Release, bool]:
    release, created = Release.objects.get_or_create(organization=organization, version=version)
    release.projects.add(*projects)
    if dist:
        Dist.objects.get_or_create(release=release, name=dist)
    return release, created


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    kept = {storable(name.strip().lower()): storable(value.strip()) for name, value in headers.items()}
    longest = max((len(text) for pair in kept.items() for text in pair), default=0)
    if len(kept) > _MAX_HEADERS or longest > _HEADER_LENGTH or "" in kept:
        raise ApiError(f"header: at most {_MAX_HEADERS}, each `name: value`", field="header")
    return kept


def _count_change(project: Project) -> None:
    """Last in its transaction: other uploads to the project wait for the row."""
    _, created = Uploads.objects.get_or_create(project=project, defaults={"revision": 1})
    if not created:
        Uploads.objects.filter(project=project).update(revision=F("revision") + 1)


def _record(action: str, project: Project, actor: Actor, target: str, data: Mapping[str, Any]) -> None:
    audit.record(
        organization=project.organization, project=project, actor=actor, action=action, target=target, data=data
    )
