"""The jobs of retention."""

from __future__ import annotations

import logging
from typing import Final

from core.background import defer, periodic, task
from crashes.retention import deleting

log = logging.getLogger(__name__)

_ROUND: Final = 2_000


@task(queueing_lock="crashes.retention.empty")
def empty() -> None:
    """Delete the blobs of deleted crashes, a part of them at a time."""
    if deleting.delete_doomed(_ROUND) == _ROUND:
        defer(empty)


@periodic("*/10 * * * *")
def sweep_doomed(_timestamp: int) -> None:
    """Have the blobs deleted that are left from a kill or from a time without a store."""
    if deleting.any_doomed():
        defer(empty)
