"""Putting a file together from its chunks, and making of it what it was uploaded as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from core.api import ApiError
from core.blobs import BlobMissing, BlobTooLarge, Incoming, blob_store
from core.database import release
from debugfiles import services
from debugfiles.identify import Upload
from debugfiles.models import DebugFile
from debugfiles.protocol.chunks import StoredChunk, find_chunks, forget_chunk
from debugfiles.protocol.wanted import Kind, Wanted, choose
from debugfiles.receiving import max_upload_bytes
from projects.access import Actor


@dataclass(frozen=True, slots=True)
class Made:
    """What a file became: the ids of its rows, and of a debug file the row that answers the request."""

    ids: tuple[int, ...]
    file: DebugFile | None = None


def assemble(wanted: Wanted, actor: Actor) -> Made:
    """Make the file of its chunks and store it. Doing it again changes nothing.

    Not to be called inside a transaction. Raises ApiError (400 for what is wrong with the file, 503) and BlobError.
    """
    with _joined(wanted, find_chunks(wanted.organization, wanted.chunks)) as incoming:
        upload = _upload(wanted, incoming)
        if wanted.kind is Kind.DEBUG_FILE:
            rows = services.store_debug_file(project=wanted.projects[0], actor=actor, upload=upload)
            return Made(tuple(row.pk for row in rows), choose(wanted, rows) or rows[0])
        bundle = services.store_artifact_bundle(
            organization=wanted.organization,
            projects=wanted.projects,
            actor=actor,
            upload=upload,
            release=wanted.release,
            dist=wanted.dist,
        )
        return Made((bundle.pk,))


def assemble_debug_files(
    wanted: Sequence[Wanted], actor: Actor, chunks: Mapping[str, StoredChunk]
) -> list[DebugFile | ApiError]:
    """As `assemble`, of several debug files for one project at once: of each its row, or what is wrong with it.

    `chunks` are theirs, found just now. Raises ApiError (503) and BlobError.
    """
    with ExitStack() as stack:
        joined = [_entered(stack, one, chunks) for one in wanted]
        uploads = [_upload(one, came) for one, came in zip(wanted, joined, strict=True) if isinstance(came, Incoming)]
        stored = iter(services.store_debug_files(project=wanted[0].projects[0], actor=actor, uploads=uploads))
        ends = [came if isinstance(came, ApiError) else next(stored) for came in joined]
    return [
        end if isinstance(end, ApiError) else choose(one, end) or end[0] for one, end in zip(wanted, ends, strict=True)
    ]


def _upload(wanted: Wanted, incoming: Incoming) -> Upload:
    return Upload(incoming, wanted.name or wanted.checksum, wanted.debug_id)


def _entered(stack: ExitStack, wanted: Wanted, chunks: Mapping[str, StoredChunk]) -> Incoming | ApiError:
    try:
        return stack.enter_context(_joined(wanted, chunks))
    except ApiError as error:
        return error


@contextmanager
def _joined(wanted: Wanted, chunks: Mapping[str, StoredChunk]) -> Iterator[Incoming]:
    if not chunks.keys() >= set(wanted.chunks):
        raise _gone()
    check_size([chunks[sha1] for sha1 in wanted.chunks])
    release()
    with blob_store().incoming(max_upload_bytes()) as incoming:
        for sha1 in wanted.chunks:
            _append(wanted, sha1, chunks[sha1], incoming)
        if incoming.finish().sha1 != wanted.checksum:
            raise ApiError("The chunks do not add up to the checksum of the file. Upload it again.", code="checksum")
        yield incoming


def check_size(chunks: Sequence[StoredChunk]) -> int:
    """The bytes of a file of these chunks. Raises ApiError when that is too large."""
    size, limit = sum(chunk.size for chunk in chunks), max_upload_bytes()
    if size > limit:
        raise ApiError(BlobTooLarge(limit).message, code="too_large")
    return size


def _append(wanted: Wanted, sha1: str, chunk: StoredChunk, incoming: Incoming) -> None:
    try:
        for piece in blob_store().pieces(chunk.key):
            incoming.write(piece)
    except BlobMissing:
        forget_chunk(wanted.organization, sha1)
        raise _gone() from None


def _gone() -> ApiError:
    return ApiError("Some of its chunks are not there any more. Upload the file again.", code="chunk_missing")
