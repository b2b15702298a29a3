"""Writes of debug files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction

from core.api import ApiError, not_found
from debugfiles.arrivals import ArrivalKind, Arrived, announce
from debugfiles.contents import keep_contents, touch
from debugfiles.identify import Upload, identify, shown_name
from debugfiles.kinds import Identified
from debugfiles.models import NAME_LENGTH, Blob, DebugFile
from debugfiles.recording import count_change, record
from debugfiles.retention.policy import Policy, policy_of
from debugfiles.retention.room import check_room, make_room
from projects.access import Actor
from projects.models import Project

_TRIES: Final = 5
_SERVER_FAULT: Final = 500


def store_debug_file(*, project: Project, actor: Actor, upload: Upload) -> list[DebugFile]:
    """The debug files that an upload holds: one, or of a fat file one for each object. What is there stays as it is.

    Raises ApiError (400, 503) as `identify`, (413) over the project's quota, and BlobError.
    """
    return _store(project, actor, [_Read(upload, identify(upload))], policy_of(project))[0]


def store_debug_files(*, project: Project, actor: Actor, uploads: Sequence[Upload]) -> list[list[DebugFile] | ApiError]:
    """As `store_debug_file`, of several: of each its debug files, or why it is not taken.

    In one transaction where the project has no quota. Raises ApiError (503) and BlobError.
    """
    read = [_identified(upload) for upload in uploads]
    usable, policy = [one for one in read if isinstance(one, _Read)], policy_of(project)
    stored: Iterator[list[DebugFile] | ApiError]
    if policy.quota_bytes is None:
        stored = iter(_store(project, actor, usable, policy) if usable else [])
    else:
        stored = (_fitting(project, actor, one, policy) for one in usable)
    return [one if isinstance(one, ApiError) else next(stored) for one in read]


@dataclass(frozen=True, slots=True)
class _Read:
    """An upload, and the objects in it."""

    upload: Upload
    objects: tuple[Identified, ...]


def _identified(upload: Upload) -> _Read | ApiError:
    try:
        return _Read(upload, identify(upload))
    except ApiError as error:
        if error.status >= _SERVER_FAULT:
            raise
        return error


def _fitting(project: Project, actor: Actor, read: _Read, policy: Policy) -> list[DebugFile] | ApiError:
    try:
        return _store(project, actor, [read], policy)[0]
    except ApiError as error:
        return error


def _store(project: Project, actor: Actor, reads: Sequence[_Read], policy: Policy) -> list[list[DebugFile]]:
    limited = policy.quota_bytes is not None
    for read in reads if limited else ():
        check_room(project, read.upload.incoming)
    blobs = keep_contents([read.upload.incoming for read in reads])
    for left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                return _write(project, actor, list(zip(reads, blobs, strict=True)), limited)
        except IntegrityError:
            # The same file came twice at once, and the other one is committed by now; or the project is deleted.
            if not left:
                raise
    raise AssertionError


def _write(
    project: Project, actor: Actor, contents: Sequence[tuple[_Read, Blob]], limited: bool
) -> list[list[DebugFile]]:
    blobs = [blob for _, blob in contents]
    locked = DebugFile.objects.select_for_update().filter(project=project, blob__in=blobs).order_by("pk")
    rows = {_key(row): row for row in locked}
    found: list[list[DebugFile]] = []
    fresh: dict[tuple[int, int, str], DebugFile] = {}
    for read, blob in contents:
        made = {_key(row): row for row in (_debug_file(project, blob, read.upload.name, one) for one in read.objects)}
        new = {key: row for key, row in made.items() if key not in rows}
        rows, fresh = rows | new, fresh | new
        found.append([rows[key] for key in made])
        if new:
            data = {"ids": [row.debug_id or row.code_id for row in new.values()], "size": blob.size, "sha1": blob.sha1}
            record("debug_file.uploaded", project, actor, shown_name(read.upload.name), data)
    touch(DebugFile, {row.pk for each in found for row in each if _key(row) not in fresh})
    if fresh:
        # In one order always: two uploads of the same files wait for each other in one direction.
        DebugFile.objects.bulk_create(fresh[key] for key in sorted(fresh))
        for blob in blobs if limited else ():
            make_room(project, actor, blob)
        count_change(project)
        announce(Arrived(project.pk, ArrivalKind.DEBUG_FILES, tuple(row.pk for row in fresh.values())))
    return found


def delete_debug_file(*, project: Project, actor: Actor, file_id: int) -> None:
    """Remove a debug file of the project. Raises NotFound."""
    with transaction.atomic():
        row = DebugFile.objects.select_for_update().filter(project=project, pk=file_id).first()
        if row is None:
            raise not_found()
        row.delete()
        data = {"ids": [row.debug_id or row.code_id], "sha1": row.checksum}
        record("debug_file.deleted", project, actor, row.object_name, data)
        count_change(project)


def _key(row: DebugFile) -> tuple[int, int, str]:
    return row.blob_id, row.object_index, row.debug_id


def _debug_file(project: Project, blob: Blob, name: str, item: Identified) -> DebugFile:
    debug_id = item.debug_id
    return DebugFile(
        project=project,
        blob=blob,
        object_index=item.index,
        debug_id="" if debug_id is None else str(debug_id),
        object_offset=item.offset,
        object_size=item.size,
        debug_uuid=None if debug_id is None else debug_id.uuid,
        debug_appendix=0 if debug_id is None else debug_id.appendix,
        code_id=item.code_id,
        file_types=[file_type.value for file_type in item.file_types],
        symbol_type=item.symbol_type.value,
        kind=item.kind[:16],
        cpu=item.cpu[:32],
        features=list(item.features),
        object_name=shown_name(name)[:NAME_LENGTH],
        checksum=blob.sha1,
    )
