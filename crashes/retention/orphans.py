"""Blobs that no row names: stored for a report whose transaction never came, or left by a project that was deleted."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from itertools import islice
from typing import Final

from core.blobs import blob_store
from crashes.accepting import ROOM
from crashes.models import Attachment, Crash, DoomedBlob

log = logging.getLogger(__name__)

# No upload takes so long: what is younger may yet get its row.
GRACE_SECONDS: Final = 86_400.0
BATCH: Final = 1_000
_BATCHES: Final = 50


def sweep_orphans(after: str = "", now: float | None = None, batches: int = _BATCHES) -> str:
    """Delete blobs older than a day that nothing refers to, among the 50,000 keys behind `after`.

    The last key that was looked at, where there may be more behind it; empty at the end. Raises BlobError.
    """
    old = (time.time() if now is None else now) - GRACE_SECONDS
    keys = blob_store().keys(ROOM, after)
    count = 0
    for _ in range(batches):
        batch = list(islice(keys, BATCH))
        count += _delete_unnamed([stored.key for stored in batch if stored.modified < old])
        if len(batch) < BATCH:
            after = ""
            break
        after = batch[-1].key
    if count:
        log.info("%d blobs that nothing referred to were deleted", count)
    return after


def _delete_unnamed(keys: Sequence[str]) -> int:
    named = {
        *Crash.objects.filter(blob_key__in=keys).values_list("blob_key", flat=True),
        *Attachment.objects.filter(blob_key__in=keys).values_list("blob_key", flat=True),
        *DoomedBlob.objects.filter(key__in=keys).values_list("key", flat=True),
    }
    unnamed = [key for key in keys if key not in named]
    for key in unnamed:
        blob_store().delete(key)
    return len(unnamed)
