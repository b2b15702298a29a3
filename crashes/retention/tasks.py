"""The jobs of retention."""

from __future__ import annotations

import logging
from typing import Final

from core.background import defer, periodic, task
from crashes.retention.deleting import any_doomed, delete_doomed
from crashes.retention.expiring import delete_expired
from crashes.retention.orphans import sweep_orphans

log = logging.getLogger(__name__)

_ROUND: Final = 2_000


@task(queueing_lock="crashes.retention.expire")
def expire() -> None:
    """One round over the projects; another one when more is left, behind what waits meanwhile."""
    count, more = delete_expired()
    if count:
        log.info("%d crashes expired", count)
    if more:
        defer(expire)


@task(queueing_lock="crashes.retention.empty")
def empty() -> None:
    """Delete the blobs of deleted crashes, a part of them at a time."""
    if delete_doomed(_ROUND) == _ROUND:
        defer(empty)


@task(queueing_lock="crashes.retention.orphans")
def orphans(after: str) -> None:
    """Delete blobs that nothing refers to, from the key `after` on, a part of them at a time."""
    last = sweep_orphans(after)
    if last:
        defer(orphans, after=last)


@periodic("11 * * * *")
def sweep_expired(_timestamp: int) -> None:
    """Have crashes deleted that their projects do not keep any more."""
    defer(expire)


@periodic("*/10 * * * *")
def sweep_doomed(_timestamp: int) -> None:
    """Have the blobs deleted that are left from a kill or from a time without a store."""
    if any_doomed():
        defer(empty)


@periodic("23 3 * * *")
def sweep_unnamed(_timestamp: int) -> None:
    """Have blobs deleted that were stored for reports that never came to be."""
    defer(orphans, after="")
