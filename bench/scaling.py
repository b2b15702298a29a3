"""What a second process is worth: two web processes against one, two workers against one.

Two services run side by side, one of each size, and are loaded in turns, so that what else the machine does hits both.
Web: the warm request of the workload over HTTP with 8 connections. The load generator is one thread that sends
prepared bytes and counts the answer's; it takes its share of the same cores, which on two leaves less than two for two
processes, and so its part of the CPU is told with the figures. Workers: as many dumps are stored while the processes of
crashes are stopped (SIGSTOP); the time runs from when they go on until the last dump is done. All processes may work on
the one project that there is.

    python -m bench.scaling [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench import workload
from bench.load import Target, run
from bench.rows import Row, Spread, at_least

RESULTS = Path(__file__).parent / "results"
SECONDS = 2.5
CONNECTIONS = 8
DUMPS = 60
_SETTINGS = {"ALLOWED_SOURCE_NETWORKS": "127.0.0.0/8", "LOG_LEVEL": "WARNING", "CRASHES_PER_MINUTE": "unlimited"}


@dataclass
class Measured:
    """Per second, one figure a round, by number of processes; `generator`: the part of one core that it took."""

    web: dict[int, list[float]] = field(default_factory=lambda: {1: [], 2: []})
    generator: dict[int, list[float]] = field(default_factory=lambda: {1: [], 2: []})
    workers: dict[int, list[float]] = field(default_factory=lambda: {1: [], 2: []})


def measure(rounds: int = 5) -> Measured:
    """Load both services in turns."""
    found = Measured()
    with ExitStack() as stack:
        services = {count: stack.enter_context(_service(count)) for count in found.web}
        targets = {count: stack.enter_context(_warm(service)) for count, service in services.items()}
        for _ in range(rounds):
            for count, target in targets.items():
                per_second, part = _load(target)
                found.web[count].append(per_second)
                found.generator[count].append(part)
        for _ in range(rounds):
            for count, service in services.items():
                found.workers[count].append(_process(service))
    return found


@contextmanager
def _service(count: int) -> Iterator[Any]:
    """A service with so many web processes, and so many that process crashes."""
    from tests.service import Service, environment

    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        data_dir = Path(name) / "data"
        # All dumps are one project's: by itself it leaves one process to others, and two would be one.
        settings = environment(data_dir, **_SETTINGS, CRASH_WORKERS=str(count), CRASHES_AT_ONCE=str(count))
        service = Service(data_dir, settings, ("--workers", str(count)))
        try:
            yield service.start()
        finally:
            service.stop()


@contextmanager
def _warm(service: Any) -> Iterator[Target]:
    """The workload's request to a project whose source has its files; every process has answered it."""
    from tests.symbolication import symbolserver
    from tests.symbolication.http import new_tenant
    from tests.symbolication.requests import stored_source

    with symbolserver.running(workload.symbol_files()) as files:
        tenant = new_tenant(service)
        assert tenant.post(tenant.sources_url, stored_source(files.url)).status == 201
        target = Target(tenant.symbolicate_url, json.dumps(workload.request()).encode(), tenant.token)
        run(target, connections=CONNECTIONS, seconds=SECONDS)
        yield target


def _load(target: Target) -> tuple[float, float]:
    """Requests a second, and the part of a core that the generator took meanwhile."""
    spent = time.thread_time()
    result = run(target, connections=CONNECTIONS, seconds=SECONDS)
    assert result.failures == 0, f"{result.failures} requests failed"
    return result.per_second, (time.thread_time() - spent) / result.seconds


def _process(service: Any) -> float:
    """Dumps that are processed a second, by all processes of crashes together."""
    from symbolsvc.running.datadir import DataDirectory
    from symbolsvc.running.postgres.server import url
    from tests.faults.crash_load import Client, Stored

    client = Client.of(service)
    locator = DataDirectory(service.data_dir).locator()
    assert locator is not None
    stored = Stored(url(locator.sockets), client.organization)
    workers = service.job_processes("crashes")
    _send(workers, signal.SIGSTOP)
    try:
        for number in range(DUMPS):
            assert client.post(number, native=True), client.refusals
    finally:
        _send(workers, signal.SIGCONT)
    before, began = stored.waiting(), time.perf_counter()
    while (waiting := stored.waiting()) > 0:
        assert time.perf_counter() - began < 60, f"{waiting} dumps are not processed"
        time.sleep(0.02)
    return before / (time.perf_counter() - began)


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)


def rows() -> Iterator[Row]:
    """The table's rows: how much more two do than one."""
    found = measure()
    part = statistics.median(found.generator[2])
    web = f"{_medians(found.web)} requests a second; the generator took {part:.2f} of a core under the load of two"
    yield Row("two web processes", Spread.ratios(found.web[2], found.web[1]), "one", target=at_least(1.5), note=web)
    workers = f"{_medians(found.workers)} dumps a second"
    yield Row("two workers", Spread.ratios(found.workers[2], found.workers[1]), "one", note=workers)


def _medians(figures: dict[int, list[float]]) -> str:
    return " and ".join(f"{statistics.median(figures[count]):.0f}" for count in (2, 1))


def main(arguments: list[str] | None = None) -> Measured:
    """Measure, print, write the figures to `bench/results/scaling.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    found = measure(parser.parse_args(arguments).rounds)
    for name, figures in asdict(found).items():
        one, two = (statistics.median(figures[count]) for count in (1, 2))
        print(f"{name:<12}one {one:>8.2f}   two {two:>8.2f}   {two / one:.2f} times")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "scaling.json").write_text(json.dumps(asdict(found), indent=1))
    return found


if __name__ == "__main__":
    main()
