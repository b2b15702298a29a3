"""Accepted crash submissions a second over HTTP, against the least that keeps a report.

The service runs as `manage.py up` with two web processes; it judges the token and the rate, reads the form, stores the
dump durably, and commits the row with its job before it answers. What processes crashes is stopped meanwhile: how fast
reports are taken in is what is measured, and they wait in the table as they do when workers are behind. The floor are
two processes that read nothing and judge nothing: each writes the same bytes to a new file, syncs it, and inserts one
row into a table of the same database, as often as it can. Both are loaded in turns.

    python -m bench.submission [--rounds N] [--seconds S] [--connections N]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from bench.load import Target, run
from bench.rows import Row, Spread, at_least

RESULTS = Path(__file__).parent / "results"
PROCESSES = 2
DUMP_BYTES = 300 << 10
_BOUNDARY = "----bench-boundary"
_CREATE = "CREATE TABLE IF NOT EXISTS bench_floor (id bigserial PRIMARY KEY, path text, size bigint, at timestamptz)"


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


def floor(directory: str, database: str, content: bytes, seconds: float, threads: int, counts: Any) -> None:
    """One process of the floor: how many reports a second it kept goes into `counts`."""
    with ThreadPoolExecutor(threads) as pool:
        kept = [pool.submit(_keep, directory, database, content, seconds) for _ in range(threads)]
        counts.put(sum(one.result() for one in kept) / seconds)


def _keep(directory: str, database: str, content: bytes, seconds: float) -> int:
    with psycopg.connect(database, autocommit=True) as connection:
        end, count = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            path = f"{directory}/{uuid4().hex}"
            with open(path, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            connection.execute("INSERT INTO bench_floor (path, size, at) VALUES (%s, %s, now())", [path, len(content)])
            count += 1
    return count


def floor_rate(directory: Path, database: str, *, seconds: float, connections: int) -> float:
    """What the floor keeps in a second, with as many at once as the service has."""
    context = multiprocessing.get_context("fork")
    counts = context.Queue()
    arguments = (str(directory), database, dump(), seconds, max(connections // PROCESSES, 1), counts)
    processes = [context.Process(target=floor, args=arguments) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    total = sum(counts.get(timeout=seconds + 60) for _ in processes)
    for process in processes:
        process.join()
    return float(total)


@contextmanager
def service(directory: Path) -> Iterator[tuple[Target, str]]:
    """A running service whose jobs stand still: where to send, and its database."""
    from tests.service import Service, environment

    settings = {"LOG_LEVEL": "WARNING", "CRASHES_PER_MINUTE": "unlimited"}
    running = Service(directory / "data", environment(directory / "data", **settings), ("--workers", str(PROCESSES)))
    running.start()
    workers: list[int] = []
    try:
        running.bootstrap("bench", "web")
        token = running.token("bench", "web", scopes=["error:post"])
        workers = running.job_processes()
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        target = Target(
            f"{running.url}/bench/{token}/minidump", form(dump()), "", f"multipart/form-data; boundary={_BOUNDARY}"
        )
        yield target, _database(workers[0])
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        running.stop()


def _database(process: int) -> str:
    """The address of the database that a process of the service was started with."""
    values = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    return next(value.partition(b"=")[2].decode() for value in values if value.startswith(b"DATABASE_URL="))


def measure(*, rounds: int, seconds: float, connections: int) -> list[dict[str, float]]:
    """Load the service and the floor in turns; the figures of every round."""
    found = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name, service(Path(name)) as (target, database):
        beside = Path(name) / "data" / "blobs" / "floor"
        beside.mkdir(parents=True)
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(_CREATE)
        run(target, connections=connections, seconds=seconds)
        for _ in range(rounds):
            ours = run(target, connections=connections, seconds=seconds)
            assert ours.failures == 0, f"{ours.failures} submissions were refused"
            found.append(
                {
                    "service": round(ours.per_second, 1),
                    "p50_ms": round(ours.percentile(0.5), 2),
                    "p99_ms": round(ours.percentile(0.99), 2),
                    "floor": round(floor_rate(beside, database, seconds=seconds, connections=connections), 1),
                }
            )
    return found


def summary(rounds: list[dict[str, float]]) -> dict[str, Any]:
    """Medians over the rounds, and the ratio of service to floor with its spread."""
    ratios = [each["service"] / each["floor"] for each in rounds]
    spread = {"median": statistics.median(ratios), "least": min(ratios), "greatest": max(ratios)}
    medians = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
    return {**medians, "ratio": {name: round(value, 3) for name, value in spread.items()}}


def rows(rounds: int = 5) -> Iterator[Row]:
    """The table's row: the submissions a second, as a share of what the floor keeps."""
    found = measure(rounds=rounds, seconds=4.0, connections=8)
    service, bare = ([each[side] for each in found] for side in ("service", "floor"))
    note = f"{statistics.median(service):.0f} submissions a second, the floor {statistics.median(bare):.0f}"
    against = "write, sync and one INSERT"
    yield Row("forms with a dump of 300 KB", Spread.ratios(service, bare), against, target=at_least(0.6), note=note)


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print the table, write the figures to `bench/results/submission.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args(arguments)
    rounds = measure(rounds=options.rounds, seconds=options.seconds, connections=options.connections)
    result = {**summary(rounds), "rounds": rounds}
    ratio = result["ratio"]
    print("submissions of 300 KB      per second    p50 ms    p99 ms")
    print(f"service{result['service']:>30.0f}{result['p50_ms']:>10.1f}{result['p99_ms']:>10.1f}")
    print(f"floor{result['floor']:>32.0f}")
    print(f"service / floor: {ratio['median']:.2f} ({ratio['least']:.2f} to {ratio['greatest']:.2f})")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "submission.json").write_text(json.dumps(result, indent=1))
    return result


if __name__ == "__main__":
    main()
