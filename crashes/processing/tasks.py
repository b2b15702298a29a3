"""The jobs of processing."""

from __future__ import annotations

from typing import Final

from core.background import task
from crashes.processing.claims import claim
from crashes.processing.working import process

QUEUE: Final = "crashes"


@task(queue=QUEUE)
def work() -> None:
    """Process the crash whose turn it is. The job is a hint: it names none."""
    claimed = claim()
    if claimed is not None:
        process(claimed)
