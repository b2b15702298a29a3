"""The jobs of processing again. What they do is imported when they do it: uploads and crashes defer them."""

from __future__ import annotations

from typing import Final

from core.background import periodic, task
from crashes.again.queueing import QUEUE, WAITING_QUEUE

_WINDOWS: Final = 10


@task(queue=QUEUE)
def arrived(*, project_id: int, kind: str, rows: str) -> None:
    """Find the crashes that lacked what was uploaded."""
    from crashes.again.arriving import read, rerun_for

    rerun_for(read(project_id, kind, rows))


@task(queue=QUEUE)
def look(*, crash_id: int) -> None:
    """Look once more for what a crash lacks."""
    from crashes.again.looking import look as look_now

    look_now(crash_id)


@task(queue=QUEUE)
def advance(*, rerun_id: int) -> None:
    """Go on with a run, some windows at a time so that others get their turn."""
    from crashes.again import reruns

    for _ in range(_WINDOWS):
        if not reruns.advance(rerun_id):
            return
    reruns.advance_later(rerun_id)


@periodic("* * * * *", queue=QUEUE)
def tend_reruns(timestamp: int) -> None:
    """Go on with runs whose job was lost or whose crashes have been done meanwhile; close what is done."""
    from crashes.again.lacking import add_up
    from crashes.again.tending import tend

    tend()
    add_up()


@periodic("* * * * *", queue=WAITING_QUEUE)
def probe_sources(timestamp: int) -> None:
    """Ask the sources again for files that crashes lack."""
    from crashes.again.probing import probe_due
    from crashes.again.sources_seen import make_due_after_changes

    make_due_after_changes()
    probe_due()
