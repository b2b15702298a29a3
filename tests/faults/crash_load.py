"""A steady load of crash reports on a service, and whether every one that was accepted is there once, in effect."""

from __future__ import annotations

import itertools
import json
import lzma
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPException
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

import psycopg

from tests.service import ROOT, Service, eventually
from tests.symbolication.http import call

DUMP = Path(ROOT, "tests/fixtures/crash/segv-worker-fp.dmp.xz")
# Reports in JSON are of so many kinds, each of which is a group.
KINDS = 3
_TIMEOUT = 20.0
# The service refuses with the first; a proxy whose host went away says the others.
_REFUSALS = (503, 502, 504)


@cache
def dump() -> bytes:
    return lzma.decompress(DUMP.read_bytes())


def report(number: int, uuid: str) -> dict[str, Any]:
    """A report of Backtrace's in JSON, with nothing to be looked up."""
    kind = number % KINDS
    stack = [{"funcName": f"fail_{kind}", "line": 3, "library": "app.py"}, {"funcName": "main", "line": 9}]
    return {
        "uuid": uuid,
        "timestamp": 1_700_000_000 + number,
        "lang": "python",
        "langVersion": "3.11",
        "agent": "faults",
        "agentVersion": "1",
        "mainThread": "1",
        "threads": {"1": {"name": "main", "fault": True, "stack": stack}},
        "classifiers": [f"Failure{kind}"],
        "attributes": {"number": number, "error.message": f"kind {kind}"},
    }


@dataclass(frozen=True)
class Client:
    """Submits to one project."""

    service: Service
    organization: str
    token: str
    refusals: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, service: Service) -> Client:
        made = service.bootstrap()
        organization = made["organization"]["slug"]
        return cls(service, organization, service.token(organization, "web", ["error:post"]))

    def post(self, number: int, *, native: bool = False) -> str | None:
        """Send a report; its `_rxid`, None when it was not accepted."""
        uuid = str(uuid5(NAMESPACE_OID, f"{self.organization} {number}"))
        format_, body = ("minidump", dump()) if native else ("json", json.dumps(report(number, uuid)).encode())
        url = f"{self.service.url}/{self.organization}/{self.token}/{format_}?number={number}"
        try:
            answer = call(url, "POST", body, timeout=_TIMEOUT)
        except (OSError, HTTPException) as error:
            self.refusals[type(error).__name__] += 1
            return None
        if answer.status == 200:
            return str(answer.json()["_rxid"])
        assert answer.status in _REFUSALS, (answer.status, answer.body)
        self.refusals[str(answer.status)] += 1
        return None


@dataclass
class Load:
    """Threads that submit one report after the other; each until it is accepted."""

    client: Client
    pause: float = 0.05
    threads: int = 2
    accepted: dict[int, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _numbers: Any = field(default_factory=itertools.count)
    _running: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Load:
        self._running = [threading.Thread(target=self._submit, daemon=True) for _ in range(self.threads)]
        for thread in self._running:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._running:
            thread.join(310)
        assert not any(thread.is_alive() for thread in self._running), "a report is never accepted"
        assert self.failures == []

    def await_more(self, count: int, seconds: float = 120.0) -> None:
        """Until so many more reports are accepted."""
        before = len(self.accepted)
        eventually(lambda: self.failures or len(self.accepted) >= before + count, seconds)
        assert self.failures == []

    def _submit(self) -> None:
        try:
            while not self._stop.is_set():
                self._until_accepted(next(self._numbers))
                time.sleep(self.pause)
        except AssertionError as error:
            self.failures.append(repr(error))

    def _until_accepted(self, number: int) -> None:
        end = time.monotonic() + 300
        while time.monotonic() < end:
            rxid = self.client.post(number, native=number % 4 == 0)
            if rxid is not None:
                self.accepted[number] = rxid
                return
            time.sleep(0.1)
        raise AssertionError(f"report {number} is never accepted")


@dataclass(frozen=True)
class Stored:
    """What a service's database says of an organization's crashes."""

    url: str
    organization: str

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """`query` names the organization's crashes `mine`."""
        mine = (
            "WITH mine AS (SELECT c.* FROM crashes_crash c JOIN projects_project p ON p.id = c.project_id"
            " JOIN projects_organization o ON o.id = p.organization_id WHERE o.slug = %s) "
        )
        with psycopg.connect(self.url, connect_timeout=10) as connection:
            return connection.execute(mine + query, [self.organization, *parameters]).fetchall()

    def states(self) -> Counter[str]:
        return Counter(dict(self.rows("SELECT state, count(*) FROM mine GROUP BY state")))

    def waiting(self) -> int:
        states = self.states()
        return states["pending"] + states["running"]

    def await_all(self, seconds: float = 60.0) -> None:
        """Until nothing waits and nothing runs."""
        eventually(lambda: self._answers() and self.waiting() == 0, seconds)

    def _answers(self) -> bool:
        try:
            self.states()
        except psycopg.OperationalError:
            return False
        return True

    def assert_complete(self, accepted: dict[int, str]) -> None:
        """Every accepted report is stored once and processed once in effect; groups count what is there."""
        rows = self.rows("SELECT rxid, state, uuid, (attributes->>'number')::int FROM mine")
        stored = {rxid: number for rxid, _, _, number in rows}
        assert {rxid: number for number, rxid in accepted.items()}.items() <= stored.items()
        assert {state for _, state, _, _ in rows} == {"done"}
        uuids = [uuid for _, _, uuid, _ in rows if uuid is not None]
        assert len(uuids) == len(set(uuids))
        # A dump has no id of its own: what was sent again, since no answer came, is another crash.
        assert {number for _, _, _, number in rows} == set(accepted)
        results = self.rows("SELECT count(*) FROM mine JOIN crashes_crashresult r ON r.crash_id = mine.id")
        assert results == [(len(rows),)]
        counted = self.rows(
            "SELECT g.count, count(*) FROM mine JOIN crashes_group g ON g.id = mine.group_id GROUP BY g.id, g.count"
        )
        assert all(count == there for count, there in counted), counted
        assert sum(count for count, _ in counted) == len(rows)
        assert len(counted) == len({number % KINDS for number in accepted if number % 4}) + any(
            number % 4 == 0 for number in accepted
        )


def fresh_name() -> str:
    return f"crashes_{uuid4().hex[:12]}"
