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
import json
import os
import signal
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import submission_floors as floors
from bench.load import Target, run
from bench.processes import cpu_seconds, family
from bench.rows import Row, Spread, at_least
from bench.submission_kinds import Doors, Kind, dump, form, kinds, report

__all__ = ["dump", "form", "kinds", "main", "measure", "report", "rows"]

RESULTS = Path(__file__).parent / "results"
PROCESSES = floors.PROCESSES
_SIDES = ("service", "bare", "floor")


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
