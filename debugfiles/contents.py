"""Contents and the rows that stand for them: claimed before they are written, deleted when nothing needs them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Final

from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from core.blobs import Digests, Incoming, blob_store, content_key
from core.database import release
from debugfiles.models import ArtifactBundle, Blob, DebugFile, ReleaseFile
from debugfiles.protocol.models import Chunk

# For what an upload claims until it refers to it, and for readers that are under way.
GRACE: Final = timedelta(days=1)
TOUCH_EVERY: Final = timedelta(hours=1)
_CLAIMS: Final = 5
_BATCH: Final = 100
_REFERRING: Final = (DebugFile, ArtifactBundle, ReleaseFile, Chunk)


def keep_content(incoming: Incoming) -> Blob:
    """The stored content, written unless it is there already. Not to be called inside a transaction.

    Its row is claimed first: from then on, for a day, nobody deletes it. Raises BlobError.
    """
    blob = _claim(incoming.finish())
    release()
    store = blob_store()
    if blob.state != Blob.STORED or not store.exists(blob.key):
        store.keep(incoming, blob.key)
        Blob.objects.filter(pk=blob.pk).update(state=Blob.STORED)
    return blob


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


def _claim(digests: Digests) -> Blob:
    fresh = Blob(sha256=digests.sha256, sha1=digests.sha1, size=digests.size, key=content_key(digests.sha256))
    for _ in range(_CLAIMS):
        with transaction.atomic():
            Blob.objects.bulk_create([fresh], ignore_conflicts=True)
            found = Blob.objects.select_for_update().filter(sha256=digests.sha256).first()
            if found is not None:
                found.last_used = timezone.now()
                found.save(update_fields=["last_used"])
                return found
    raise RuntimeError("a content is deleted each time it is claimed")


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
