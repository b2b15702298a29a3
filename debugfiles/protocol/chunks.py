"""Chunks of an organization: stored once, known by the SHA-1 of their content, forgotten a day after their last use."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from core.blobs import Incoming
from debugfiles.contents import TOUCH_EVERY, keep_contents
from debugfiles.models import Blob
from debugfiles.protocol.models import Chunk
from projects.models import Organization

CHUNK_BYTES: Final = 8 << 20
KEPT: Final = timedelta(days=1)
# Parameters of one query, and rows of one deletion.
_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk that is there: where its content lies, and how many bytes it has."""

    key: str
    size: int


def keep_chunks(organization: Organization, incomings: Sequence[Incoming]) -> None:
    """Note that the organization uploaded these contents; whoever else does so at the same time does no harm.

    Not to be called inside a transaction. Raises BlobError.
    """
    # The content of the same SHA-1 may be another one: the newest counts, as it was verified last.
    newest = {incoming.finish().sha1: incoming for incoming in incomings}
    if not newest:
        return
    blobs = keep_contents(list(newest.values()))
    rows = [Chunk(organization=organization, sha1=sha1, blob=blob) for sha1, blob in zip(newest, blobs, strict=True)]
    Chunk.objects.bulk_create(
        # In their order: two requests with the same chunks wait for each other in one direction.
        sorted(rows, key=lambda row: row.sha1),
        update_conflicts=True,
        unique_fields=["organization", "sha1"],
        update_fields=["blob", "last_used"],
    )


def find_chunks(organization: Organization, sha1s: Collection[str]) -> dict[str, StoredChunk]:
    """Those of the chunks that the organization uploaded; they are kept for at least 23 hours from now on."""
    found: dict[str, StoredChunk] = {}
    now = timezone.now()
    for part in _parts(sorted(set(sha1s))):
        rows = Chunk.objects.filter(organization=organization, sha1__in=part)
        rows.filter(last_used__lt=now - TOUCH_EVERY).update(last_used=now)
        columns = rows.filter(blob__state=Blob.STORED).values_list("sha1", "blob__key", "blob__size")
        found |= {sha1: StoredChunk(key, size) for sha1, key, size in columns}
    return found


def forget_chunk(organization: Organization, sha1: str) -> None:
    """Its content is not there any more: it has to be uploaded again."""
    Chunk.objects.filter(organization=organization, sha1=sha1).delete()


def delete_unused_chunks(before: timedelta = KEPT) -> int:
    """Forget chunks that nobody used for so long; how many. Their contents go with the others that nothing needs."""
    count = 0
    while pks := list(_unused(before).values_list("pk", flat=True)[:_AT_ONCE]):
        # Once more by their age: one of them may be in use by now.
        deleted, _ = _unused(before).filter(pk__in=pks).delete()
        count += deleted
        if not deleted:
            break
    return count


def _unused(before: timedelta) -> QuerySet[Chunk]:
    return Chunk.objects.filter(last_used__lt=timezone.now() - before)


def _parts(sha1s: Sequence[str]) -> Iterator[Sequence[str]]:
    return (sha1s[start : start + _AT_ONCE] for start in range(0, len(sha1s), _AT_ONCE))
