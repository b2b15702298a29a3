"""Killing what takes crashes in and processes them, at any moment: what was accepted is kept and processed once.

`CRASH_FAULT_ROUNDS=100 pytest tests/faults/test_crash_kills.py -s` is the long form.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from symbolsvc.running.datadir import DataDirectory
from symbolsvc.running.postgres import server
from tests.faults.crash_load import Client, Load, Stored
from tests.service import SERVICE_SETTINGS, Service, environment, remove_place

ROUNDS = int(os.environ.get("CRASH_FAULT_ROUNDS", "4"))
VICTIMS = {"web": "symbolsvc: web", "database": "bin/postgres"}
SETTINGS = {**SERVICE_SETTINGS, "CRASH_LEASE_SECONDS": "5", "CRASH_WORKERS": "2", "ACCESS_LOG": "false"}


@pytest.fixture
def own_service(tmp_path: Path) -> Iterator[Service]:
    """A service with a database that is its own to lose."""
    data_dir = tmp_path / "data"
    service = Service(data_dir, environment(data_dir, "", **SETTINGS), options=("--workers", "1"))
    try:
        yield service.start()
    finally:
        if service.process is not None and service.process.poll() is None:
            service.stop()
        remove_place(data_dir)


def victims(service: Service, kind: str) -> list[int]:
    if kind == "worker":
        return service.job_processes("crashes")
    return [pid for pid, line in service.children().items() if VICTIMS[kind] in line]


def kill(service: Service, kind: str, chance: random.Random) -> int:
    """One process of the kind; how many there were."""
    found = victims(service, kind)
    if found:
        os.kill(chance.choice(found), signal.SIGKILL)
    return len(found)


def test_whatever_is_killed_every_accepted_crash_is_processed_once(own_service: Service) -> None:
    chance = random.Random(7)
    kinds = ["worker", "database", "web", "worker"]
    client = Client.of(own_service)
    killed: Counter[str] = Counter()
    began = time.monotonic()
    with Load(client) as load:
        for number in range(ROUNDS):
            # Mostly when it works again, sometimes while it is starting.
            if chance.random() < 0.8:
                load.await_more(3)
            time.sleep(chance.uniform(0, 0.5))
            kind = kinds[number] if number < len(kinds) else chance.choice(["web", "worker", "database"])
            killed[kind] += bool(kill(own_service, kind, chance))
        load.await_more(3)

    stored = Stored(database_url(own_service), client.organization)
    stored.await_all(90 + ROUNDS)
    stored.assert_complete(load.accepted)
    assert sum(killed.values()) >= ROUNDS // 2
    tries = stored.rows("SELECT attempts, count(*) FROM mine GROUP BY attempts ORDER BY attempts")
    print(
        f"\n{sum(killed.values())} kills {dict(killed)}, {len(load.accepted)} accepted, not: {dict(client.refusals)},"
        f" tries {dict(tries)}, {time.monotonic() - began:.0f} s"
    )


def database_url(service: Service) -> str:
    """The address of the embedded database."""
    locator = DataDirectory(service.data_dir).locator()
    assert locator is not None
    return server.url(locator.sockets)
