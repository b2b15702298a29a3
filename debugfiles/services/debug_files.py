"""Writes of debug files."""

from __future__ import annotations

from django.db import transaction

from core.api import not_found
from debugfiles.arrivals import ArrivalKind, Arrived, announce
from debugfiles.contents import keep_content, touch
from debugfiles.identify import Upload, identify, shown_name
from debugfiles.kinds import Identified
from debugfiles.models import NAME_LENGTH, Blob, DebugFile
from debugfiles.recording import count_change, record
from debugfiles.retention.room import check_room, make_room
from projects.access import Actor
from projects.models import Project


def store_debug_file(*, project: Project, actor: Actor, upload: Upload) -> list[DebugFile]:
    """The debug files that an upload holds: one, or of a fat file one for each object. What is there stays as it is.

    Raises ApiError (400, 503) as `identify`, (413) over the project's quota, and BlobError.
    """
    objects = identify(upload)
    check_room(project, upload.incoming)
    blob = keep_content(upload.incoming)
    with transaction.atomic():
        made = [_debug_file(project, blob, upload.name, item) for item in objects]
        fresh = [row for row, created in made if created]
        touch(DebugFile, [row.pk for row, created in made if not created])
        if fresh:
            data = {"ids": [row.debug_id or row.code_id for row in fresh], "size": blob.size, "sha1": blob.sha1}
            record("debug_file.uploaded", project, actor, shown_name(upload.name), data)
            make_room(project, actor, blob)
            announce(Arrived(project.pk, ArrivalKind.DEBUG_FILES, tuple(row.pk for row in fresh)))
            count_change(project)
    return [row for row, _ in made]


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


def _debug_file(project: Project, blob: Blob, name: str, item: Identified) -> tuple[DebugFile, bool]:
    debug_id = item.debug_id
    return DebugFile.objects.select_for_update().get_or_create(
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
