"""The jobs of processing."""

from __future__ import annotations

from core.background import periodic, task
from core.database import release
from crashes.processing.claims import claim
from crashes.processing.hints import QUEUE, hint_later, lacking, refill
from crashes.processing.policy import lease_seconds
from crashes.processing.sweeping import sweep
from crashes.processing.working import process


@task(queue=QUEUE)
def work() -> None:
    """Process the crash whose turn it is. The job is a hint: it names none."""
    claimed = claim()
    if claimed is not None:
        process(claimed)
        # One that could not run before, since its project had its share, may be able to now.
        refill(1)
    elif lacking():
        # What waits may not run yet. Whoever ends gives the next hint, unless it died: then its lease runs out.
        hint_later(lease_seconds() + 1)
    release()


@periodic("* * * * *")
def sweep_crashes(_timestamp: int) -> None:
    """Put back what lost its worker, and make up for lost hints."""
    sweep()
