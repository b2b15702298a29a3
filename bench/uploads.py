"""Uploading 100 small debug files, one by one and in chunks, against writing them.

The service runs as `manage.py up`; one client sends Breakpad symbol files over one connection: each by itself, or all
as chunks that one more request assembles, as `sentry-cli` does. Every file is stored durably, examined in a child, and
found from the next request on. The floor writes and syncs the same contents to files, with one INSERT for each.
Of each way it is said what a file took of the CPU, in the service's processes by what they do. The processes that run
jobs go on after the last answer: what they do for a file counts too, so the jobs' table is awaited empty.

    python -m bench.uploads [ROUNDS]
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg

from bench.processes import cpu_seconds, family
from bench.rows import Row, Spread

FILES = 100
_BOUNDARY = "----bench-boundary"
_A_REQUEST = 50
_MOST_SECONDS = 120
_JOBS = "SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND scheduled_at IS NULL LIMIT 1"
_CREATE = "CREATE TABLE IF NOT EXISTS bench_floor (id bigserial PRIMARY KEY, path text, size bigint, at timestamptz)"


def rows(rounds: int = 3) -> Iterator[Row]:
    """The table's rows."""
    ways = ("one by one", "in chunks")
    figures = measure(rounds)
    for way in ways:
        note = f"{statistics.median(figures[way].seconds) / FILES * 1e3:.1f} ms a file; CPU ms: {figures[way].used()}"
        spread = Spread.ratios(figures[way].seconds, figures["floor"].seconds)
        yield Row(f"{FILES} files, {way}", spread, "write, sync and one INSERT each", note=note)


@dataclass
class Figures:
    """Of one way: the seconds of every round, and of the CPU, by what the processes do."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[dict[str, float]] = field(default_factory=list)

    def used(self) -> str:
        """The least of all rounds, for one file: what else the machine does only adds to it."""
        least = {role: min(one[role] for one in self.cpu) / FILES * 1e3 for role in self.cpu[0]}
        return ", ".join(f"{role} {each:.1f}" for role, each in least.items()) + f", all {sum(least.values()):.1f}"


def measure(rounds: int) -> dict[str, Figures]:
    """The figures of each way; a round before the first is not counted."""
    from tests.service import Service, environment

    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        data = Path(name) / "data"
        service = Service(data, environment(data, LOG_LEVEL="WARNING"), ("--workers", "1"))
        service.start()
        try:
            service.bootstrap("bench", "web")
            sender = Sender(service.address, service.token("bench", scopes=("project:write", "project:releases")))
            floor, roles = Floor(data), _roles(service.children(), data)
            ways: dict[str, Callable[[list[bytes]], None]] = {
                "one by one": sender.plainly,
                "in chunks": sender.in_chunks,
                "floor": floor.write,
            }
            found = {way: Figures() for way in ways}
            for number in range(rounds + 1):
                for way, send in ways.items():
                    contents = [symbols() for _ in range(FILES if number else 10)]
                    before, began = _used(roles), time.perf_counter()
                    send(contents)
                    seconds = time.perf_counter() - began
                    floor.await_jobs()
                    if number:
                        found[way].seconds.append(seconds)
                        found[way].cpu.append({role: now - before[role] for role, now in _used(roles).items()})
            return found
        finally:
            service.stop()


def _roles(children: dict[int, str], data: Path) -> dict[str, list[int]]:
    from tests.service import database_processes

    words = {"web": "symbolsvc: web", "jobs": "symbolsvc: jobs", "converter": "engine.convert.server"}
    found = {role: [pid for pid, line in children.items() if word in line] for role, word in words.items()}
    return {**found, "database": [min(database_processes(data))]}


def _used(roles: dict[str, list[int]]) -> dict[str, float]:
    """What the processes used of the CPU, in seconds, with those that they started."""
    return {role: cpu_seconds(one for pid in pids for one in family(pid)) for role, pids in roles.items()}


def symbols() -> bytes:
    """A small symbol file that was never there before."""
    functions = "".join(f"FUNC {0x1000 + at * 0x40:x} 40 0 app::part::f{at}(int)\n" for at in range(50))
    return f"MODULE Linux x86_64 {uuid4().hex.upper()}0 libpart.so\n{functions}".encode()


class Sender:
    """A client with one connection that is kept."""

    def __init__(self, address: tuple[str, int], token: str) -> None:
        self._connection = http.client.HTTPConnection(*address, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}"}

    def plainly(self, contents: list[bytes]) -> None:
        """One request for each."""
        for content in contents:
            self._post("/api/0/projects/bench/web/debug-files/?name=libpart.sym", content, "application/octet-stream")

    def in_chunks(self, contents: list[bytes]) -> None:
        """Chunks in a few requests, then one that makes files of them, asked again until all are there."""
        for start in range(0, len(contents), _A_REQUEST):
            body = b"".join(_part(content) for content in contents[start : start + _A_REQUEST])
            kind = f"multipart/form-data; boundary={_BOUNDARY}"
            self._post("/api/0/organizations/bench/chunk-upload/", body + f"--{_BOUNDARY}--\r\n".encode(), kind)
        sums = [hashlib.sha1(content).hexdigest() for content in contents]
        wanted = json.dumps({one: {"name": "libpart.sym", "chunks": [one]} for one in sums}).encode()
        end = time.monotonic() + _MOST_SECONDS
        while True:
            told = json.loads(self._post("/api/0/projects/bench/web/files/difs/assemble/", wanted, "application/json"))
            states = {one["state"] for one in told.values()}
            if states == {"ok"}:
                return
            assert states <= {"ok", "created", "assembling"}, told
            assert time.monotonic() < end, "the files are not assembled"
            time.sleep(0.25)

    def _post(self, path: str, body: bytes, kind: str) -> bytes:
        self._connection.request("POST", path, body, {**self._headers, "Content-Type": kind})
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status in (200, 201), text
        return text


def _part(content: bytes) -> bytes:
    name = hashlib.sha1(content).hexdigest()
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    return f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + content + b"\r\n"


class Floor:
    """The least that keeps files, beside the service's blobs and in its database."""

    def __init__(self, data: Path) -> None:
        from symbolsvc.running.postgres.server import url

        self._directory = data / "blobs" / "floor"
        self._directory.mkdir(parents=True)
        sockets = json.loads((data / "database.json").read_text())["sockets"]
        self._connection = psycopg.connect(url(sockets), autocommit=True)
        self._connection.execute(_CREATE)

    def write(self, contents: list[bytes]) -> None:
        """Write, sync and note each."""
        for content in contents:
            path = self._directory / uuid4().hex
            with path.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            values = [str(path), len(content)]
            self._connection.execute("INSERT INTO bench_floor (path, size, at) VALUES (%s, %s, now())", values)

    def await_jobs(self) -> None:
        """Return when nothing is left to do for what was uploaded."""
        end = time.monotonic() + _MOST_SECONDS
        while self._connection.execute(_JOBS).fetchone() is not None:
            assert time.monotonic() < end, "the jobs do not end"
            time.sleep(0.1)


if __name__ == "__main__":
    from bench.table import table

    print("\n".join(table({"uploads": list(rows(int(sys.argv[1]) if sys.argv[1:] else 3))})))
