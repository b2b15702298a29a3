"""Writing to a database that may be starting again just now."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError, connection

log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_SECONDS: Final = 60.0
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
# Lost connections, a server that stops or starts, too many connections, a deadlock or a clash of transactions.
_PASSING: Final = ("08", "57P", "53300", "40")


def is_passing(error: BaseException) -> bool:
    """Whether the database failed for a moment, whatever it was asked."""
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, OperationalError | psycopg.OperationalError):
        return False
    cause = error.__cause__ if isinstance(error, DatabaseError) else error
    state = getattr(cause, "sqlstate", None)
    return state is None or str(state).startswith(_PASSING)


def surely(action: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """Do it, again and again for some time while the database is away.

    The action must bear being done twice: a commit may have come through though its answer did not.
    """
    end = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while True:
        try:
            return action()
        except (DatabaseError, psycopg.OperationalError) as error:
            if not is_passing(error) or connection.in_atomic_block or time.monotonic() > end:
                raise
            log.warning("the database failed (%s), trying again", type(error).__name__)
        connection.close()
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
