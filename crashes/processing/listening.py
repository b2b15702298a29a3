"""Waiting until there may be something to do: the database says so, some time is over, or the process is to end."""

from __future__ import annotations

import os
import select
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

import psycopg
from procrastinate.contrib.django.utils import connector_params

from core.background import application_prefix
from crashes.processing.waking import CHANNEL, QUEUE

# An earlier version told it by a job: hosts are brought up to date one after the other.
_CHANNELS: Final = (CHANNEL, f"procrastinate_queue_v1#{QUEUE}")


class Stop:
    """Whether to end, asked from a signal handler or another thread; `fileno` is readable from then on."""

    def __init__(self) -> None:
        self.asked = False
        self._read, self._write = os.pipe()

    def ask(self) -> None:
        if not self.asked:
            self.asked = True
            os.write(self._write, b"\0")

    def fileno(self) -> int:
        return self._read

    def wait(self, seconds: float) -> None:
        """Return when asked, after so many seconds at the latest."""
        poller = select.poll()
        poller.register(self, select.POLLIN)
        poller.poll(seconds * 1000)


class Listener:
    """A connection of its own that hears of crashes; by its name the installation counts its worker processes."""

    def __init__(self) -> None:
        self._name = application_prefix(QUEUE) + uuid4().hex[:12]
        self._connection: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def listen(self) -> psycopg.Connection[Any]:
        """Hear all that is said from now on. Raises psycopg.Error."""
        if self._connection is None:
            named = {**connector_params(), "application_name": self._name, "autocommit": True}
            self._connection = psycopg.connect(**named)
            for channel in _CHANNELS:
                self._connection.execute(f'LISTEN "{channel}"'.encode())
        return self._connection

    def wait(self, seconds: float, stop: Stop) -> None:
        """Return when something was said since the last time, and after so many seconds. Raises psycopg.Error."""
        connection = self.listen()
        poller = select.poll()
        poller.register(stop, select.POLLIN)
        poller.register(connection.fileno(), select.POLLIN)
        if poller.poll(seconds * 1000) and not stop.asked:
            # All of them: they say the same.
            for _ in connection.notifies(timeout=0):
                pass

    def close(self) -> None:
        """Hear nothing any more, until `listen`."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
