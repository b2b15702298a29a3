"""What became of one file that somebody uploaded, as it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from core.api import ApiError
from core.blobs import BlobError
from core.database import release
from debugfiles.archives import Refused
from debugfiles.identify import Upload, shown_name
from debugfiles.models import ArtifactBundle, DebugFile
from debugfiles.pages.asked import Asked
from debugfiles.pages.receiving import SentFile
from debugfiles.records.anything import Stored, store_anything
from debugfiles.taking.outcome import Taken
from engine.modules import DebugId
from projects.access import ProjectAccess

_MOST_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class Part:
    """A debug file of an upload; `known`: it was there before."""

    row: DebugFile
    known: bool


@dataclass(frozen=True, slots=True)
class FileResult:
    """One uploaded file. `problem` is why nothing of it was taken, `stopped` why an archive was not read to its end.

    `verdict` says how it stands to the file that was asked for: found, other (it has another id), or nothing was asked.
    """

    name: str
    size: int
    problem: str = ""
    verdict: str = ""
    parts: Sequence[Part] = ()
    scripts: Sequence[Taken] = ()
    refused: Sequence[Refused] = ()
    taken_count: int = 0
    refused_count: int = 0
    stopped: str = ""
    record_id: int | None = None
    bundle: ArtifactBundle | None = None
    known: bool = False

    @property
    def more_refused(self) -> int:
        """Refused files that are not listed."""
        return self.refused_count - len(self.refused)

    @property
    def more_taken(self) -> int:
        """Stored files that are not listed."""
        return max(0, self.taken_count - max(len(self.parts), len(self.scripts)))


def take(access: ProjectAccess, file: SentFile, asked: Asked | None, debug_id: DebugId | None) -> FileResult:
    """Store what a file holds; what keeps it from being stored is part of the result."""
    name, size, began = shown_name(file.name), file.incoming.size, timezone.now()
    upload = Upload(file.incoming, file.name, debug_id)
    try:
        stored = store_anything(project=access.project, actor=access.actor, upload=upload)
        return _result(access, name, size, stored, asked, began)
    except (ApiError, BlobError) as error:
        return FileResult(name, size, problem=error.message, verdict="other" if asked else "")
    finally:
        # The next file may wait for its turn to be unpacked.
        release()


def _result(
    access: ProjectAccess, name: str, size: int, stored: Stored, asked: Asked | None, began: datetime
) -> FileResult:
    out = stored.outcome
    parts = [Part(row, row.created_at < began) for row in out.rows]
    bundle = out.bundle
    return FileResult(
        name=name,
        size=size,
        verdict=_verdict(access, out.rows, asked),
        parts=parts[:_MOST_LISTED],
        scripts=[] if parts else out.taken[:_MOST_LISTED],
        refused=out.refused[:_MOST_LISTED],
        taken_count=max(out.taken_count, len(parts)),
        refused_count=out.refused_count,
        stopped=out.problem,
        record_id=stored.record.pk,
        bundle=bundle,
        known=all(part.known for part in parts) if parts else bundle is not None and bundle.created_at < began,
    )


def _verdict(access: ProjectAccess, rows: Sequence[DebugFile], asked: Asked | None) -> str:
    if asked is None:
        return ""
    # Of a large archive only the first files are named here; of scripts the bundle is.
    whole = 0 < len(rows) < _MOST_LISTED
    found = asked.is_among(rows) if whole else asked.is_stored(access.project)
    return "found" if found else "other"
