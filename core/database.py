"""Database connections as a shared, scarce good."""

from __future__ import annotations

from django.db import connections


def release() -> None:
    """Give this thread's database connections back to the pool; the next query takes one again.

    To be called before any wait (a download, a lock, a queue): hundreds of requests wait at once, the pool is small.
    Inside a transaction nothing happens, since giving the connection back would roll it back.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
