"""Connections from the pool, known to be alive without a question to the database where that can be seen from here.

A request takes a connection several times, since it gives it back before it waits. Django's own `CONN_HEALTH_CHECKS`
would ask the database each time, which takes as long as many a query.
"""

from __future__ import annotations

import select
import time
from contextlib import suppress
from typing import Any, Final

import psycopg
from django.db.backends.postgresql import base

# A connection that was idle for longer may be gone without a trace: nobody says so when a network forgets it.
_TRUSTED_SECONDS: Final = 5.0
RETURNED: Final = "_symbolsvc_returned"


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, for a pool without checks of its own."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection that is alive. Raises OperationalError when there is none to be had in the pool's time."""
        while True:
            connection = super().get_new_connection(conn_params)
            if not self.pool or is_alive(connection):
                return connection
            connection.close()
            self.pool.putconn(connection)

    def _close(self) -> None:
        if self.connection is not None:
            setattr(self.connection, RETURNED, time.monotonic())
        super()._close()  # type: ignore[misc]


def is_alive(connection: psycopg.Connection[Any]) -> bool:
    """Whether a connection that was idle works. Asks only where something came in, or it was idle for long."""
    idle = time.monotonic() - getattr(connection, RETURNED, 0.0)
    if connection.closed:
        return False
    if idle < _TRUSTED_SECONDS and not _has_something_to_say(connection):
        return True
    with suppress(psycopg.Error):
        connection.execute("")
        return True
    return False


def _has_something_to_say(connection: psycopg.Connection[Any]) -> bool:
    """Whether bytes wait, or the end: a server that goes away closes its connections, and usually says so before."""
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN | select.POLLRDHUP)
    return bool(poller.poll(0))
