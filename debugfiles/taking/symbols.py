"""Debug files, alone or in an archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.api import ApiError
from core.blobs import BlobTooLarge
from core.database import release
from debugfiles.archives import ArchiveRefused, Candidate, Refused, members
from debugfiles.identify import Upload, is_proguard
from debugfiles.models import DebugFile
from debugfiles.services import store_debug_file
from debugfiles.taking.outcome import Outcome
from debugfiles.taking.reading import bounds, holds_archive, my_turn, spooled
from engine.formats.bytewise import FormatError
from projects.access import Actor
from projects.models import Project

# How files begin that are worth a closer look; everything else is refused without one.
_STARTS: Final = (
    b"\x7fELF",
    b"MZ",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"\xca\xfe\xba\xbf",
    b"Microsoft C/C++",
    b"BSJB",
    b"\0asm",
    b"MODULE ",
    b"SYSB",
    b"BCSymbolMap",
    b"<?xml",
    b"<plist",
    b"bplist00",
    b"{",
)
_OURS: Final = "not a debug file"


def take_symbols(*, project: Project, actor: Actor, upload: Upload) -> Outcome:
    """Store the debug file, or every debug file of an archive, that an upload holds.

    Raises ApiError (400) for a single file that is of no use, for an archive of which nothing could be taken and one of
    a kind that is not readable; (503) when nobody could look; (413) over the project's quota; and BlobError. What
    stopped an archive of which something had been taken is the outcome's `problem`.
    """
    outcome = Outcome()
    if not holds_archive(upload):
        _note(outcome, upload.name, store_debug_file(project=project, actor=actor, upload=upload))
        return outcome
    with my_turn():
        _take_all(project, actor, upload, outcome)
    if not outcome.taken_count:
        reasons = outcome.reasons or "it holds no files"
        raise ApiError(f"Nothing of the archive could be taken: {reasons}", code="nothing_taken", field="file")
    return outcome


def _take_all(project: Project, actor: Actor, upload: Upload, outcome: Outcome) -> None:
    try:
        for member in members(upload.incoming.path, upload.name, bounds()):
            if isinstance(member, Refused):
                outcome.refuse(member)
            else:
                _take(project, actor, member, outcome)
    except ArchiveRefused as error:
        if not outcome.taken_count:
            raise
        outcome.problem = error.message


def _take(project: Project, actor: Actor, member: Candidate, outcome: Outcome) -> None:
    if not member.head.lstrip().startswith(_STARTS) and not is_proguard(member.head):
        outcome.refuse(Refused(member.name, _OURS))
        return
    try:
        with spooled(member) as incoming:
            rows = store_debug_file(project=project, actor=actor, upload=Upload(incoming, member.name))
        _note(outcome, member.name, rows)
    except FormatError as error:
        outcome.refuse(Refused(member.name, error.details))
    except BlobTooLarge as error:
        outcome.refuse(Refused(member.name, error.message))
    except ApiError as error:
        if isinstance(error, ArchiveRefused) or error.status != 400:
            raise
        outcome.refuse(Refused(member.name, error.message))
    finally:
        release()


def _note(outcome: Outcome, name: str, rows: Sequence[DebugFile]) -> None:
    outcome.take(name, dict.fromkeys(row.debug_id or row.code_id for row in rows), rows)
