"""Debug files by plain REST: one file, or an archive of many."""

from __future__ import annotations

from core.api import ApiError
from debugfiles.identify import Upload, shown_name
from debugfiles.models import DebugFile
from debugfiles.records.models import UploadRecord
from debugfiles.records.services import UploadFacts, record_upload
from debugfiles.services import store_debug_file
from debugfiles.taking import take_symbols
from debugfiles.taking.reading import holds_archive
from projects.access import Actor
from projects.models import Project

_FORMAT = "debug-files"


def store_debug_files(*, project: Project, actor: Actor, upload: Upload) -> tuple[list[DebugFile], UploadRecord | None]:
    """The debug files that an upload holds, the first 500 of an archive; of an archive its record too.

    Raises as `store_debug_file` and `take_symbols`, and ApiError (400) for an archive with a debug id.
    """
    if not holds_archive(upload):
        return store_debug_file(project=project, actor=actor, upload=upload), None
    if upload.debug_id is not None:
        raise ApiError("debug_id: names a single file, this is an archive or packed", field="debug_id")
    outcome = take_symbols(project=project, actor=actor, upload=upload)
    facts = UploadFacts(_FORMAT, shown_name(upload.name), upload.incoming.size)
    return outcome.rows, record_upload(project=project, actor=actor, facts=facts, outcome=outcome)
