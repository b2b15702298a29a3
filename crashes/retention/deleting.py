"""Deleting crashes: rows first, in a transaction that also writes down which blobs nobody refers to any more.

A kill at any moment loses nothing: before the commit nothing happened, after it the blobs are on the list of doomed
ones, which is worked off here, by a job, and by a sweep. A key is never used twice, so that what is doomed cannot be
what somebody stores at the same time, equal or not.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from core.background import defer
from core.blobs import BlobError, blob_store
from crashes.models import Attachment, Crash, DoomedBlob
from projects import audit
from projects.access import Actor
from projects.models import Project

log = logging.getLogger(__name__)

WINDOW: Final = 500
# So few blobs go at once; more are left to a job.
_AT_ONCE: Final = 20
_SHOWN: Final = 50


def delete_crashes(*, project: Project, crash_ids: Iterable[int], actor: Actor) -> int:
    """Delete crashes of a project with all that belongs to them; how many there were.

    At most 500 in one transaction, each with an entry in the trail. One that is being processed goes as well: what its
    worker brings is dropped. Groups keep their counts. The blobs go after the commit, if need be later.
    """
    windows = batches(crash_ids, WINDOW)
    return sum(delete_window(project, window, actor, "crash.deleted", Q(), {}) for window in windows)


def delete_window(
    project: Project, crash_ids: Sequence[int], actor: Actor, action: str, still: Q, data: Mapping[str, Any]
) -> int:
    """Delete those of the crashes that meet `still` once they are locked; how many. One transaction."""
    with transaction.atomic():
        wanted = Crash.objects.filter(still, project=project, pk__in=crash_ids).order_by("pk")
        found = list(
            wanted.select_for_update(of=("self",), skip_locked=bool(still)).values_list("pk", "rxid", "blob_key")
        )
        if not found:
            return 0
        pks = [pk for pk, _, _ in found]
        attached = Attachment.objects.filter(crash__in=pks).values_list("blob_key", flat=True)
        doom([*(key for _, _, key in found), *attached])
        Crash.objects.filter(pk__in=pks).only("pk").delete()
        rxids = [rxid for _, rxid, _ in found]
        audit.record(
            organization=project.organization,
            project=project,
            actor=actor,
            action=action,
            target=rxids[0] if len(rxids) == 1 else f"{len(rxids)} crashes",
            data={"count": len(rxids), "crashes": rxids[:_SHOWN], **data},
        )
    return len(found)


def doom(keys: Iterable[str]) -> None:
    """Have blobs deleted once the transaction around this call is committed."""
    from crashes.retention.tasks import empty

    rows = DoomedBlob.objects.bulk_create([DoomedBlob(key=key) for key in keys])
    if len(rows) > _AT_ONCE:
        defer(empty)
    else:
        transaction.on_commit(partial(_delete_now, [row.pk for row in rows]))


def delete_doomed(limit: int = WINDOW) -> int:
    """Delete blobs that are doomed, at most `limit`; how many. Raises BlobError when the store does not work."""
    ids = list(DoomedBlob.objects.order_by("pk").values_list("pk", flat=True)[:limit])
    return _delete(ids)


def any_doomed() -> bool:
    """Whether a blob waits to be deleted."""
    return DoomedBlob.objects.exists()


def batches(ids: Iterable[int], size: int) -> Iterator[list[int]]:
    """`ids` once each, in order, `size` at a time."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def _delete_now(ids: Sequence[int]) -> None:
    try:
        _delete(ids)
    except BlobError as error:
        log.warning("blobs of deleted crashes are left for later: %s", error)


def _delete(ids: Sequence[int]) -> int:
    """The blob first, its row after it: a kill in between has the blob deleted twice, which is none the worse."""
    count = 0
    for pk, key in DoomedBlob.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "key"):
        blob_store().delete(key)
        DoomedBlob.objects.filter(pk=pk).delete()
        count += 1
    return count
