"""Writes of single files of releases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db import transaction

from core.api import ApiError, not_found
from core.text import storable
from debugfiles.arrivals import ArrivalKind, Arrived, announce
from debugfiles.bundles import file_name, text_key
from debugfiles.contents import keep_content
from debugfiles.identify import Upload
from debugfiles.models import URL_LENGTH, Dist, Release, ReleaseFile
from debugfiles.recording import count_change, record
from debugfiles.retention.room import check_room, make_room
from debugfiles.services.releases import check_dist
from projects.access import Actor
from projects.models import Project

_MAX_HEADERS: Final = 32
_HEADER_LENGTH: Final = 4096


def store_release_file(
    *, project: Project, actor: Actor, release: Release, upload: Upload, dist: str, headers: Mapping[str, str]
) -> ReleaseFile:
    """A single file of a release; the one that has been there under the same name and dist is replaced.

    `upload.name` is the URL. Raises ApiError (400; 413 over the project's quota) and BlobError.
    """
    name, kept = storable(upload.name), _checked_headers(headers)
    if not name or len(name) > URL_LENGTH:
        raise ApiError(f"name: a text of 1 to {URL_LENGTH} characters", field="name")
    check_dist(dist, release.version)
    check_room(project, upload.incoming)
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
        record("release_file.uploaded", project, actor, name, data)
        make_room(project, actor, blob)
        announce(Arrived(project.pk, ArrivalKind.RELEASE_FILE, (row.pk,)))
        count_change(project)
    return row


def delete_release_file(*, project: Project, actor: Actor, release: Release, file_id: int) -> None:
    """Remove a file of a release. Raises NotFound."""
    with transaction.atomic():
        row = ReleaseFile.objects.filter(project=project, release=release, pk=file_id).first()
        if row is None:
            raise not_found()
        row.delete()
        record("release_file.deleted", project, actor, row.name, {"release": release.version, "dist": row.dist})


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    kept = {storable(name.strip().lower()): storable(value.strip()) for name, value in headers.items()}
    longest = max((len(text) for pair in kept.items() for text in pair), default=0)
    if len(kept) > _MAX_HEADERS or longest > _HEADER_LENGTH or "" in kept:
        raise ApiError(f"header: at most {_MAX_HEADERS}, each `name: value`", field="header")
    return kept
