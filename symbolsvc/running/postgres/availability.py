"""The database for a command that runs for a moment, beside a running service or without one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from symbolsvc.running.datadir import DataDirectory
from symbolsvc.running.postgres.server import DatabaseError, Server, answers, url

_WAIT_SECONDS: Final = 150.0
_PAUSE_SECONDS: Final = 0.05


@contextmanager
def available(data_dir: Path) -> Iterator[str]:
    """The address of this data directory's database, for as long as the block runs.

    Whoever runs it already (`up`, or another command) is used; otherwise it is started here, and stopped once the last
    command that came to use it has ended. Raises ConfigurationError or DatabaseError.
    """
    directory = DataDirectory(data_dir)
    directory.using.take(shared=True, wait=True)
    try:
        address = _running_address(directory)
        if address is not None:
            yield address
        else:
            yield from _own(directory)
    finally:
        directory.using.release()


def _running_address(directory: DataDirectory) -> str | None:
    """The address of a database that somebody else runs; None once we hold the right to run it ourselves."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while not directory.running.take():
        locator = directory.locator()
        if locator is not None and answers(url(locator.sockets)):
            return url(locator.sockets)
        if time.monotonic() > deadline:
            raise DatabaseError("The service on this data directory is running, but its database does not answer.")
        time.sleep(_PAUSE_SECONDS)
    return None


def _own(directory: DataDirectory) -> Iterator[str]:
    server = Server(directory.path)
    try:
        yield server.start()
    finally:
        directory.using.take(wait=True)
        server.stop()
        directory.running.release()
