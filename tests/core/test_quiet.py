"""Listening for jobs without looking."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from procrastinate.contrib.django.utils import connector_params

from core.quiet import QuietConnector

CHANNEL = "test_quiet"


async def say(payload: str) -> None:
    async with await psycopg.AsyncConnection.connect(**connector_params()) as own:
        await own.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.django_db(transaction=True)
def test_all_that_is_said_is_heard_after_a_lost_connection_too() -> None:
    heard: list[str] = []

    async def hear(*, channel: str, payload: str) -> None:
        assert channel == CHANNEL
        heard.append(payload)

    async def listening() -> int:
        """The backend that listens; 0 while there is none."""
        async with await psycopg.AsyncConnection.connect(**connector_params()) as own:
            found = await own.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND query = 'SELECT 1'", [CHANNEL]
            )
            row = await found.fetchone()
        return int(row[0]) if row else 0

    async def listener() -> int:
        async with asyncio.timeout(20):
            while not (pid := await listening()):
                await asyncio.sleep(0.01)
        return pid

    async def run() -> None:
        connector = QuietConnector(kwargs={**connector_params(), "application_name": CHANNEL}, min_size=1, max_size=1)
        await connector.open_async()
        task = asyncio.create_task(connector.listen_notify(hear, [CHANNEL]))
        try:
            pid = await listener()
            for number in range(3):
                await say(str(number))
            await until(lambda: heard == ["0", "1", "2"])
            async with await psycopg.AsyncConnection.connect(**connector_params()) as own:
                await own.execute("SELECT pg_terminate_backend(%s, 20000)", [pid])
            assert await listener() != pid
            await say("anew")
            await until(lambda: heard[3:] == ["anew"])
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await connector.close_async()

    asyncio.run(run())
