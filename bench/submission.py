"""Accepted crash submissions a second over HTTP, against the least that keeps a report.

The service runs as `manage.py up` with two web processes; it judges the token and the rate, reads the form, stores the
dump durably, and commits the row with its job before it answers. What processes crashes is stopped meanwhile: how fast
reports are taken in is what is measured, and they wait in the table as they do when workers are behind.
`bench.submission_floors` says what the two floors do. All are loaded in turns, and for each is said what one report
took of the CPU: the web processes, the database, and the load generator, which shares the machine with them.

    python -m bench.submission [--kinds NAME …] [--rounds N] [--seconds S] [--connections N]
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import signal
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench import submission_floors as floors
from bench.load import Target, run
from bench.processes import cpu_seconds, family
from bench.rows import Row, Spread, at_least

RESULTS = Path(__file__).parent / "results"
PROCESSES = floors.PROCESSES
DUMP_BYTES = 300 << 10
_BOUNDARY = "----bench-boundary"
_MULTIPART = f"multipart/form-data; boundary={_BOUNDARY}"
_SIDES = ("service", "bare", "floor")


@dataclass(frozen=True)
class Kind:
    """One kind of submission. `kept`: what the floor writes of it."""

    title: str
    body: bytes
    kept: bytes
    content_type: str = _MULTIPART
    headers: tuple[tuple[str, str], ...] = ()
    sentry: bool = False

    def target(self, service: Doors) -> Target:
        """Where the service takes it."""
        if self.sentry:
            auth = ("X-Sentry-Auth", f"Sentry sentry_version=7, sentry_key={service.key}")
            return self._at(f"{service.url}/api/{service.project}/minidump/", auth)
        format_ = "json" if self.content_type == "application/json" else "minidump"
        return self._at(f"{service.url}/bench/{service.token}/{format_}")

    def bare(self, url: str) -> Target:
        """Where its floor does."""
        return self._at(url)

    def _at(self, url: str, *more: tuple[str, str]) -> Target:
        return Target(url, self.body, "", self.content_type, (*self.headers, *more))


@dataclass(frozen=True)
class Doors:
    """A running service: where to send, and its database."""

    url: str
    token: str
    project: str
    key: str
    env: dict[str, str]
    web: int
    database: int


def dump() -> bytes:
    """A dump as large as small programs leave; its content is nothing that a file system could shrink."""
    return b"MDMP\x93\xa7\x00\x00" + random.Random(1).randbytes(DUMP_BYTES - 8)


def form(content: bytes) -> bytes:
    """The body that Crashpad and Breakpad send."""
    fields = {"prod": "Bench", "ver": "1.2.3", "guid": str(uuid4()), "ptype": "browser", "platform": "linux"}
    head = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    file = 'Content-Disposition: form-data; name="upload_file_minidump"; filename="a.dmp"\r\n'
    kind = "Content-Type: application/octet-stream\r\n\r\n"
    return f"{head}--{_BOUNDARY}\r\n{file}{kind}".encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()


def report() -> bytes:
    """A JSON report as Backtrace's libraries write it, of 16 threads: about 40 KB."""
    frames = [
        {"funcName": f"function{i}", "sourceCode": "0", "library": "app.so", "address": 4096 + i} for i in range(30)
    ]
    threads = {str(i): {"name": f"thread {i}", "fault": i == 0, "stack": frames} for i in range(16)}
    attributes = {f"attribute.{i}": f"value {i}" for i in range(30)} | {"hostname": "a", "application": "Bench"}
    head = {"lang": "csharp", "agent": "bench", "classifiers": ["Error"], "timestamp": 1_700_000_000}
    return json.dumps({**head, "attributes": attributes, "threads": threads, "mainThread": "0"}).encode()


def kinds() -> dict[str, Kind]:
    """All that can be measured."""
    content = dump()
    plain = Kind("forms with a dump of 300 KB", form(content), content)
    json_ = report()
    return {
        "form": plain,
        "gzip": replace(
            plain, title="the same, gzip", body=gzip.compress(plain.body, 1), headers=(("Content-Encoding", "gzip"),)
        ),
        "json": Kind(f"JSON reports of {len(json_) >> 10} KB", json_, json_, "application/json"),
        "sentry": replace(plain, title="the form, to a DSN", sentry=True),
    }


@contextmanager
def service(directory: Path) -> Iterator[Doors]:
    """A running service whose jobs stand still."""
    from tests.service import Service, environment

    settings = {"LOG_LEVEL": "WARNING", "CRASHES_PER_MINUTE": "unlimited", "CRASHES_PER_MINUTE_BY_TOKEN": "unlimited"}
    running = Service(directory / "data", environment(directory / "data", **settings), ("--workers", str(PROCESSES)))
    running.start()
    workers: list[int] = []
    try:
        project = running.bootstrap("bench", "web")["project"]["id"]
        token = running.token("bench", "web", scopes=["error:post"])
        key = running._json("create_dsn", "--org", "bench", "--project", "web", "--url", running.url)["key"]
        workers = running.job_processes()
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        web = running.child("symbolsvc: web")
        env = {**running.env, "DATABASE_URL": _database(directory / "data"), "DATABASE_POOL_SIZE": "8"}
        yield Doors(running.url, token, project, key, env, web, _postmaster(directory))
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        running.stop()


def _postmaster(directory: Path) -> int:
    from tests.service import database_processes

    return min(database_processes(directory / "data"))


def _database(data_dir: Path) -> str:
    """The address of the database that a service started for itself."""
    from symbolsvc.running.datadir import DataDirectory
    from symbolsvc.running.postgres.server import url

    locator = DataDirectory(data_dir).locator()
    assert locator is not None
    return url(Path(locator.sockets))


def measure(names: Sequence[str], *, rounds: int, seconds: float, connections: int) -> dict[str, list[dict[str, Any]]]:
    """Load the service and its floors in turns; the figures of every round, by kind."""
    chosen = {name: kind for name, kind in kinds().items() if name in names}
    with tempfile.TemporaryDirectory(prefix="bench-") as name, service(Path(name)) as doors:
        beside = Path(name) / "data" / "blobs" / "floor"
        beside.mkdir(parents=True)
        floors.prepare(doors.env["DATABASE_URL"])
        with floors.bare_server(beside, doors.env, _free_port()) as (url, bare):
            _await(url)
            one = _Round(doors, beside, seconds, connections, {"service": doors.web, "bare": bare})
            for kind in chosen.values():
                run(kind.target(doors), connections=connections, seconds=1)
                run(kind.bare(url), connections=connections, seconds=0.5)
            found = {
                name: [{side: one.of(side, kind, url) for side in _SIDES} for _ in range(rounds)]
                for name, kind in chosen.items()
            }
    return found


@dataclass(frozen=True)
class _Round:
    doors: Doors
    directory: Path
    seconds: float
    connections: int
    processes: Mapping[str, int]

    def of(self, side: str, kind: Kind, url: str) -> dict[str, float]:
        """The figures of one side."""
        if side == "floor":
            before = self._database()
            kept = floors.floor(
                self.directory,
                self.doors.env["DATABASE_URL"],
                kind.kept,
                seconds=self.seconds,
                connections=self.connections,
            )
            count = kept.per_second * self.seconds
            return {
                "per_second": kept.per_second,
                "web_ms": kept.cpu_ms,
                "database_ms": 1000 * (self._database() - before) / count,
            }
        return self._over_http(kind.target(self.doors) if side == "service" else kind.bare(url), self.processes[side])

    def _over_http(self, target: Target, process: int) -> dict[str, float]:
        web, database, ours = cpu_seconds(family(process)), self._database(), time.process_time()
        came = run(target, connections=self.connections, seconds=self.seconds)
        assert came.failures == 0, f"{came.failures} submissions were refused"
        each = 1000 / len(came.latencies)
        return {
            "per_second": came.per_second,
            "p50_ms": came.percentile(0.5),
            "p99_ms": came.percentile(0.99),
            "web_ms": (cpu_seconds(family(process)) - web) * each,
            "database_ms": (self._database() - database) * each,
            "load_ms": (time.process_time() - ours) * each,
        }

    def _database(self) -> float:
        return cpu_seconds(family(self.doors.database))


def _ratios(rounds: list[dict[str, Any]], against: str) -> Spread:
    ours, fixed = ([each[side]["per_second"] for each in rounds] for side in ("service", against))
    return Spread.ratios(ours, fixed)


def rows(rounds: int = 3) -> Iterator[Row]:
    """The table's rows: submissions a second, as a share of what the two floors keep."""
    titles = {name: kind.title for name, kind in kinds().items()}
    for name, found in measure(tuple(titles), rounds=rounds, seconds=2.0, connections=8).items():
        medians = _medians(found)
        note = ", ".join(f"{side} {medians[side]['per_second']:.0f} a second" for side in _SIDES)
        title = titles[name]
        target = at_least(0.6) if name == "form" else None
        yield Row(title, _ratios(found, "bare"), "bare WSGI: read, write, sync, INSERT", target=target, note=note)
        if name == "form":
            yield Row(title, _ratios(found, "floor"), "no HTTP: write, sync, INSERT")


def _medians(rounds: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        side: {key: statistics.median(each[side][key] for each in rounds) for key in rounds[0][side]} for side in _SIDES
    }


def table(title: str, rounds: list[dict[str, Any]]) -> str:
    """The figures for people."""
    heads = ("per_second", "p50_ms", "p99_ms", "web_ms", "database_ms", "load_ms")
    lines = [f"{title:<32}{'per second':>11}{'p50 ms':>9}{'p99 ms':>9}   CPU ms each: web  database  load"]
    medians = _medians(rounds)
    for side in _SIDES:
        figures = [medians[side].get(head) for head in heads]
        cells = ["-" if one is None else f"{one:.0f}" if at == 0 else f"{one:.2f}" for at, one in enumerate(figures)]
        lines.append(f"{side:<32}{cells[0]:>11}{cells[1]:>9}{cells[2]:>9}{cells[3]:>19}{cells[4]:>10}{cells[5]:>6}")
    for against in ("bare", "floor"):
        ratio = _ratios(rounds, against)
        lines.append(f"service / {against}: {ratio.median:.2f} ({ratio.least:.2f} to {ratio.greatest:.2f})")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print the table, write the figures to `bench/results/submission.json`."""
    known = kinds()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="*", choices=list(known), default=["form"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args(arguments)
    found = measure(options.kinds, rounds=options.rounds, seconds=options.seconds, connections=options.connections)
    for name, rounds in found.items():
        print(table(known[name].title, rounds), end="\n\n")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "submission.json").write_text(json.dumps(found, indent=1))
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(url: str) -> None:
    port = int(url.rstrip("/").rpartition(":")[2])
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    main()
