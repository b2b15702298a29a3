"""Database connections as a shared, scarce good."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import InterfaceError, OperationalError, connection, connections

# The database is down, restarting or out of connections, or a connection was closed under its user: no fault of the
# request, which may be repeated after so many seconds.
AWAY: Final = (OperationalError, InterfaceError)
RETRY_SECONDS: Final = 5


def release() -> None:
    """Give this thread's database connections back to the pool; the next query takes one again.

    To be called before any wait (a download, a lock, a queue): hundreds of requests wait at once, the pool is small.
    Inside a transaction nothing happens, since giving the connection back would roll it back.
    """
    for used in connections.all(initialized_only=True):
        if not used.in_atomic_block:
            used.close()


def shared_now() -> datetime:
    """The moment by the database's clock, which all hosts share: for what one host writes and another compares."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (moment,) = cursor.fetchone()
    return moment  # type: ignore[no-any-return]
