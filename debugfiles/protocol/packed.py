"""Debug files in a ZIP archive: members are read one after the other, and never written under their own names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from core.api import ApiError
from core.blobs import Incoming, blob_store
from debugfiles import services
from debugfiles.identify import Upload, refusal, shown_name
from debugfiles.models import DebugFile
from debugfiles.protocol.wanted import debug_id_of
from debugfiles.receiving import max_upload_bytes
from engine.errors import LookupFailure
from engine.formats.bytewise import mapped
from engine.formats.packed.zip import Member, ZipArchive
from projects.access import Actor
from projects.models import Project

MAX_MEMBERS: Final = 1000
# What a member may become, as a multiple of what it takes in the archive: deflate of text reaches about 100.
MAX_RATIO: Final = 400
_SMALL: Final = 1 << 20
_ZIP: Final = b"PK\3\4"


def store_packed(*, project: Project, actor: Actor, incoming: Incoming, name: str) -> list[DebugFile]:
    """The debug files of an archive, or of a file that is none.

    Raises ApiError (400) for an archive that is broken or out of bounds, or of whose members none is a debug file, and
    BlobError.
    """
    with open(incoming.path, "rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            upload = Upload(incoming, name, debug_id_of(name, None))
            return services.store_debug_file(project=project, actor=actor, upload=upload)
        try:
            archive = ZipArchive(mapped(file))
            members = _checked(archive)
        except LookupFailure as failure:
            raise refusal(name, failure) from None
        return _store_members(project, actor, archive, members)


def _checked(archive: ZipArchive) -> list[Member]:
    members = list(archive.members.values())
    if len(members) > MAX_MEMBERS:
        raise ApiError(f"file: the archive has more than {MAX_MEMBERS} members", code="too_large", field="file")
    if sum(member.size for member in members) > max_upload_bytes():
        raise ApiError("file: the archive holds more than may be uploaded", code="too_large", field="file")
    for member in members:
        if member.size > max(member.packed_size * MAX_RATIO, _SMALL):
            text = f"file: {shown_name(member.name)} is packed more tightly than any debug file"
            raise ApiError(text, code="too_large", field="file")
    return members


@contextmanager
def _unpacked(archive: ZipArchive, member: Member) -> Iterator[Incoming]:
    with blob_store().incoming(member.size) as incoming:
        try:
            for piece in archive.pieces(member):
                incoming.write(piece)
        except LookupFailure as failure:
            raise refusal(member.name, failure) from None
        incoming.finish()
        yield incoming


def _store_members(project: Project, actor: Actor, archive: ZipArchive, members: list[Member]) -> list[DebugFile]:
    rows: list[DebugFile] = []
    refused: list[ApiError] = []
    for member in members:
        try:
            with _unpacked(archive, member) as incoming:
                upload = Upload(incoming, member.name, debug_id_of(member.name, None))
                rows += services.store_debug_file(project=project, actor=actor, upload=upload)
        except ApiError as error:
            if error.status != 400:
                raise
            refused.append(error)
    if not rows:
        raise refused[0] if refused else ApiError("file: the archive is empty", field="file")
    return rows
