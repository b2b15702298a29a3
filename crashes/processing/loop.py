"""What a process does that works on crashes: one after the other, and where there are none it waits for some."""

from __future__ import annotations

import logging
from typing import Final

import psycopg
from django.db import DatabaseError
from psycopg_pool import PoolTimeout

from core.database import release
from core.postgresql.direct import first_row
from crashes.processing.claims import CLASSES, claim
from crashes.processing.listening import Listener, Stop
from crashes.processing.working import process

log = logging.getLogger(__name__)

# For what nobody says: a clock that was set, a project that has its share running.
_LOOK_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 1.0
_SECONDS: Final = f"""
WITH RECURSIVE {CLASSES}
SELECT extract(epoch FROM least(
    (SELECT min(due_at) FROM classes CROSS JOIN LATERAL (
        SELECT due_at FROM crashes_crash
        WHERE state = 'pending' AND project_id = classes.project_id AND priority = classes.priority
        ORDER BY due_at LIMIT 1
    ) AS head),
    (SELECT min(lease_until) FROM crashes_crash WHERE state = 'running')
) - statement_timestamp())::float8
"""  # noqa: S608 - constants


def run(stop: Stop) -> None:
    """Process crashes until told to stop; the one at hand is ended first."""
    with Listener() as listener:
        while not stop.asked:
            try:
                listener.listen()
                _work_and_wait(listener, stop)
            except (DatabaseError, psycopg.Error, PoolTimeout) as error:
                log.warning("the database failed (%s), trying again", type(error).__name__)
                _pause(listener, stop)
            except Exception:
                # Whatever it was: the crash is another's when its lease has run out.
                log.exception("a worker process failed, and goes on")
                _pause(listener, stop)


def work() -> bool:
    """Process the crash whose turn it is; False when there is none that may run now."""
    claimed = claim()
    if claimed is None:
        return False
    process(claimed)
    return True


def seconds_until_next() -> float:
    """How long until a crash is due or a lease runs out, as far as it matters; 0 when one is or has."""
    (found,) = first_row(_SECONDS, ()) or (None,)
    return _LOOK_SECONDS if found is None else min(max(0.0, float(found)), _LOOK_SECONDS)


def _work_and_wait(listener: Listener, stop: Stop) -> None:
    """Process all that may be, and return when there may be more. The listener listens already: nothing is missed."""
    while not stop.asked and work():
        pass
    # What is due and may not run waits for the end of another, which takes it along.
    pause = seconds_until_next() or _LOOK_SECONDS
    while not stop.asked and pause:
        release()
        listener.wait(pause, stop)
        pause = 0 if stop.asked else seconds_until_next()


def _pause(listener: Listener, stop: Stop) -> None:
    release()
    listener.close()
    stop.wait(_PAUSE_SECONDS)
