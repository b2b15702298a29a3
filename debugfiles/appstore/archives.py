"""Archives of dSYM bundles: which of their files are debug files, and their way into the project."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from core.api import ApiError
from core.blobs import BlobError, BlobTooLarge, blob_store
from debugfiles import services
from debugfiles.identify import Upload, shown_name
from debugfiles.receiving import max_upload_bytes
from engine.errors import LookupFailure
from engine.formats.bytewise import FormatError, mapped
from engine.formats.dsym import is_dwarf_path
from engine.formats.packed.zip import Member, ZipArchive
from projects.access import SYSTEM
from projects.models import Project
from sources.types.app_store_connect.problems import AppStoreFailure, Problem

MOST_FILES: Final = 5000
# Debug information is packed to a fifth; nothing honest comes near this.
MOST_RATIO: Final = 200
SMALL_BYTES: Final = 64 << 20
# How often the largest upload an archive may hold in all.
MOST_TIMES: Final = 4
_NOTES: Final = 5
_UUID: Final = r"[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}"
_SYMBOL_MAP: Final = re.compile(rf"{_UUID}\.bcsymbolmap")
_UUID_MAP: Final = re.compile(rf"{_UUID}\.plist")


@dataclass(slots=True)
class Stored:
    """What came of an archive."""

    files: int = 0
    skipped: int = 0
    reasons: list[str] = field(default_factory=list)

    def skip(self, name: str, reason: str) -> None:
        self.skipped += 1
        if len(self.reasons) < _NOTES:
            self.reasons.append(reason if name in reason else f"{name}: {reason}")

    @property
    def note(self) -> str:
        """Why files were left out, for people; empty when none was."""
        more = self.skipped - len(self.reasons)
        return "; ".join([*self.reasons, *([f"and {more} more"] if more > 0 else [])])


def store_archive(file: BinaryIO, project: Project, check: Callable[[], None]) -> Stored:
    """Store the debug files of an archive; those that are of no use are skipped with the reason.

    `check` is called before each file, and what it raises ends the work. Raises AppStoreFailure: for an archive that
    cannot be read or is larger than allowed, and when nothing can be stored just now.
    """
    stored = Stored()
    try:
        archive = ZipArchive(mapped(file))
        members = _chosen(archive)
    except FormatError as failure:
        raise AppStoreFailure(Problem.ARCHIVE, f"the archive of dSYM files cannot be read: {failure.details}") from None
    _check_sizes(members, _size(file))
    for member in members:
        check()
        _store(archive, member, project, stored)
    return stored


def _chosen(archive: ZipArchive) -> list[Member]:
    members = [member for name, member in archive.members.items() if _is_debug_file(name)]
    if not members:
        raise FormatError("it holds no dSYM bundle")
    return members


def _is_debug_file(path: str) -> bool:
    name = PurePosixPath(path).name
    if is_dwarf_path(path) or _SYMBOL_MAP.fullmatch(name):
        return True
    # Beside the debug information of an app that Apple compiled: which of its ids belongs to which of the developer's.
    return _UUID_MAP.fullmatch(name) is not None and "/Contents/Resources/" in f"/{path}"


def _check_sizes(members: list[Member], archive_bytes: int) -> None:
    """By what the directory says, which reading holds it to. Raises AppStoreFailure."""
    if len(members) > MOST_FILES:
        raise AppStoreFailure(Problem.ARCHIVE, f"the archive holds more than {MOST_FILES} debug files")
    unpacked = sum(member.size for member in members)
    credible = min(MOST_RATIO * archive_bytes, MOST_TIMES * max_upload_bytes())
    if unpacked > max(SMALL_BYTES, credible):
        raise AppStoreFailure(Problem.ARCHIVE, "the archive would unpack to more than its size makes credible")


def _store(archive: ZipArchive, member: Member, project: Project, stored: Stored) -> None:
    name = shown_name(member.name)
    try:
        with blob_store().incoming(max_upload_bytes()) as incoming:
            for piece in archive.pieces(member):
                incoming.write(piece)
            incoming.finish()
            rows = services.store_debug_file(project=project, actor=SYSTEM, upload=Upload(incoming, name))
        stored.files += len(rows)
    except (LookupFailure, BlobTooLarge) as failure:
        stored.skip(name, getattr(failure, "details", "") or failure.message)
    except BlobError as error:
        raise AppStoreFailure(Problem.STORE, error.message) from None
    except ApiError as refusal:
        if refusal.status >= 500:
            raise AppStoreFailure(Problem.STORE, refusal.message) from None
        stored.skip(name, refusal.message)


def _size(file: BinaryIO) -> int:
    return file.seek(0, 2)
