"""Listening for jobs without looking: the driver's own wait wakes up ten times a second to see whether it was ended.

Four idle processes spent two thirds of all that an idle service takes on that.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.connector import LISTEN_TIMEOUT, Notify

_ALIVE: Final = "SELECT 1"


class QuietConnector(PsycopgConnector):
    """The library's, asleep until its connection has something to read."""

    async def _loop_notify(
        self, on_notification: Notify, connection: psycopg.AsyncConnection, timeout: float = LISTEN_TIMEOUT
    ) -> None:
        """Tell what the connection hears until it is lost; every `timeout` seconds it is asked whether it is."""
        heard: deque[psycopg.Notify] = deque()
        connection.add_notify_handler(heard.append)
        while True:
            try:
                # Takes in all that has come, and what was said of jobs with it.
                await connection.execute(_ALIVE)
            except psycopg.OperationalError:
                return
            while heard:
                one = heard.popleft()
                await on_notification(channel=one.channel, payload=one.payload)
            await _readable(connection.fileno(), timeout)


async def _readable(descriptor: int, seconds: float) -> None:
    """Return when there is something to be read, or after so many seconds."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        async with asyncio.timeout(seconds):
            await ready.wait()
    except TimeoutError:
        return
    finally:
        loop.remove_reader(descriptor)
