"""What keeps the stored contents in order."""

from __future__ import annotations

import logging
import time
from typing import Final

from core.background import periodic
from core.blobs import blob_store
from debugfiles.contents import delete_unused
from debugfiles.protocol import tasks  # noqa: F401 - jobs of a folder of this room are found through here
from debugfiles.retention.expiring import delete_expired

log = logging.getLogger(__name__)

# An upload that writes nothing for so long has been given up by everybody.
_SPOOL_SECONDS: Final = 86_400


@periodic("29 * * * *")
def sweep_expired(_timestamp: int) -> None:
    """Delete uploads that nobody has used for as long as their projects keep them."""
    count = delete_expired()
    if count:
        log.info("%d uploads expired", count)


@periodic("41 * * * *")
def sweep_contents(_timestamp: int) -> None:
    """Delete contents that nothing refers to any more, and what killed uploads left behind on this host."""
    count = delete_unused()
    if count:
        log.info("%d contents that nothing referred to were deleted", count)
    blob_store().sweep(time.time() - _SPOOL_SECONDS)
