"""Contents and the rows that stand for them: claimed before they are written, deleted when nothing needs them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Final

from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from core.blobs import Digests, Incoming, blob_store, content_key
from core.database import release
from core.postgresql.direct import all_rows
from debugfiles.models import ArtifactBundle, Blob, DebugFile, ReleaseFile
from debugfiles.protocol.models import Chunk

# For what an upload claims until it refers to it, and for readers that are under way.
GRACE: Final = timedelta(days=1)
TOUCH_EVERY: Final = timedelta(hours=1)
_BATCH: Final = 100
_REFERRING: Final = (DebugFile, ArtifactBundle, ReleaseFile, Chunk)
_COLUMNS: Final = tuple(field.attname for field in Blob._meta.concrete_fields)

# In the order of their digests: two uploads of the same contents wait for each other in one direction.
_CLAIM: Final = f"""
    INSERT INTO debugfiles_blob (sha256, sha1, size, key, state)
    SELECT sha256, sha1, size, key, '{Blob.WRITING}'
    FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[]) AS given (sha256, sha1, size, key) ORDER BY sha256
    ON CONFLICT (sha256) DO UPDATE SET last_used = statement_timestamp()
    RETURNING {", ".join(_COLUMNS)}
"""  # noqa: S608 - only names of columns come in
# Nobody waits for the disk: whoever refers to the contents commits behind this, and the journal keeps the order. When
# it is lost they are written once more.
_MARK: Final = f"""
    UPDATE debugfiles_blob SET state = '{Blob.STORED}'
    FROM (SELECT set_config('synchronous_commit', 'off', true)) AS later WHERE id = ANY(%s) RETURNING id
"""  # noqa: S608


def keep_content(incoming: Incoming) -> Blob:
    """The stored content, written unless it is there already. Not to be called inside a transaction.

    Its row is claimed first: from then on, for a day, nobody deletes it. Raises BlobError.
    """
    return keep_contents([incoming])[0]


def keep_contents(incomings: Sequence[Incoming]) -> list[Blob]:
    """As `keep_content`, of several: in their order, the same one for those that are equal."""
    arrived = {incoming.finish().sha256: incoming for incoming in incomings}
    blobs = _claim([incoming.finish() for incoming in arrived.values()])
    release()
    store = blob_store()
    absent = [blob for blob in blobs.values() if blob.state != Blob.STORED or not store.exists(blob.key)]
    if absent:
        store.keep_all([(arrived[blob.sha256], blob.key) for blob in absent])
        all_rows(_MARK, [[blob.pk for blob in absent]])
    return [blobs[incoming.finish().sha256] for incoming in incomings]


def pieces_of(blob: Blob, start: int = 0, size: int | None = None) -> Iterator[bytes]:
    """The bytes of a content, from the store. Raises BlobError."""
    return blob_store().pieces(blob.key, start, size)


def touch(model: type[models.Model], pks: Collection[int]) -> None:
    """Note that rows were used, at most once an hour each."""
    now = timezone.now()
    if pks:
        model._default_manager.filter(pk__in=pks, last_used__lt=now - TOUCH_EVERY).update(last_used=now)


def delete_unused(before: timedelta = GRACE) -> int:
    """Delete contents that nothing refers to and nobody claimed for so long; how many there were.

    Each is deleted with its row locked: whoever claims the same content meanwhile waits, and then writes it anew.
    """
    cutoff, count = timezone.now() - before, 0
    while batch := [pk for pk in _unused(cutoff).values_list("pk", flat=True)[:_BATCH] if _delete(pk, cutoff)]:
        count += len(batch)
    return count


def _claim(digests: Sequence[Digests]) -> dict[str, Blob]:
    """The rows of contents, by SHA-256. Whoever deletes one meanwhile is waited for, and it is made anew."""
    columns = [(one.sha256, one.sha1, one.size, content_key(one.sha256)) for one in digests]
    rows = all_rows(_CLAIM, [list(column) for column in zip(*columns, strict=True)])
    return {blob.sha256: blob for blob in (Blob.from_db("default", _COLUMNS, row) for row in rows)}


def _unused(cutoff: object) -> models.QuerySet[Blob]:
    rows = Blob.objects.filter(last_used__lt=cutoff)
    for model in _REFERRING:
        rows = rows.filter(~Exists(model._default_manager.filter(blob=OuterRef("pk"))))
    return rows.order_by("pk")


def _delete(pk: int, cutoff: object) -> bool:
    with transaction.atomic():
        blob = Blob.objects.select_for_update(skip_locked=True).filter(pk=pk, last_used__lt=cutoff).first()
        if blob is None or not _unused(cutoff).filter(pk=pk).exists():
            return False
        blob_store().delete(blob.key)
        blob.delete()
    return True
