"""The jobs of the upload protocol."""

from __future__ import annotations

import logging
from typing import Final

from core.background import periodic, task
from debugfiles.protocol import work
from debugfiles.protocol.chunks import delete_unused_chunks

log = logging.getLogger(__name__)

# Apart from what is due every minute: a large file takes minutes.
UPLOADS: Final = "uploads"


@task(queue=UPLOADS)
def run_assembly(*, assembly_id: int) -> None:
    """Put a file together that was uploaded in chunks."""
    work.work(assembly_id)


@periodic("* * * * *")
def sweep_assemblies(_timestamp: int) -> None:
    """Go on with assemblies whose worker was killed, or whose job was lost."""
    count = work.sweep()
    if count:
        log.warning("%d assemblies had nobody working on them", count)


@periodic("47 * * * *")
def sweep_chunks(_timestamp: int) -> None:
    """Forget chunks that nobody used for a day, and assemblies that ended long ago."""
    count = delete_unused_chunks()
    if count:
        log.info("%d chunks that nobody used were forgotten", count)
    work.delete_finished()
