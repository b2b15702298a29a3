"""What `manage.py up` takes of the memory, PostgreSQL included: idle, after 1,000 modules, under load.

The figure is PSS from /proc/PID/smaps_rollup, summed over the supervisor and all processes below it: a page that
several processes share counts once. Idle is a later start, half a minute after it: connections that starting needed
have been given back by then. The modules are Breakpad files of 1,500 functions, each asked for by one frame, 40 to a
request. Under load 8 connections ask for the workload's 800 frames without pause, and the greatest of the looks counts.

    python -m bench.memory [--modules N]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import workload
from bench.load import Target, run
from bench.rows import Row, Spread, at_most
from bench.soak import modules
from bench.soak.watching import memory

RESULTS = Path(__file__).parent / "results"
IDLE_SECONDS = 30.0
LOAD_SECONDS = 8.0
LOOKS = 5
CONNECTIONS = 8
PER_REQUEST = 40

Look = dict[str, float]


@dataclass
class Measured:
    """Looks in MB by kind of process, in each state."""

    idle: list[Look] = field(default_factory=list)
    after: list[Look] = field(default_factory=list)
    loaded: list[Look] = field(default_factory=list)


def measure(count: int = 1_000) -> Measured:
    """Take all looks at one service, one state after the other."""
    found = Measured()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, _service(Path(name)) as (pid, target, endless):
        time.sleep(IDLE_SECONDS)
        found.idle = _looks(pid)
        _ask_for_modules(endless, count)
        time.sleep(IDLE_SECONDS / 2)
        found.after = _looks(pid)
        run(target, connections=CONNECTIONS, seconds=LOAD_SECONDS / 2)
        with ThreadPoolExecutor(1) as beside:
            looking = beside.submit(_looks, pid, LOAD_SECONDS / 2 / LOOKS)
            assert run(target, connections=CONNECTIONS, seconds=LOAD_SECONDS).failures == 0
            found.loaded = looking.result()
    return found


@contextmanager
def _service(directory: Path) -> Iterator[tuple[int, Target, Target]]:
    """A service started for the second time; its process, the workload's request, and that for modules without end."""
    from tests.service import Service, environment
    from tests.symbolication import symbolserver
    from tests.symbolication.http import new_tenant
    from tests.symbolication.requests import stored_source

    settings = {"ALLOWED_SOURCE_NETWORKS": "127.0.0.0/8", "LOG_LEVEL": "WARNING"}
    service = Service(directory / "data", environment(directory / "data", **settings), ("--workers", "2"))
    with symbolserver.running(workload.symbol_files()) as files, modules.running() as endless:
        tenant = new_tenant(service.start())
        other = new_tenant(service)
        for owner, url in ((tenant, files.url), (other, endless)):
            assert owner.post(owner.sources_url, stored_source(url)).status == 201
        port = service.address[1]
        service.stop()
        assert service.start(port).process
        try:
            body = json.dumps(workload.request()).encode()
            pid = service.process.pid  # type: ignore[union-attr]
            yield (
                pid,
                Target(tenant.symbolicate_url, body, tenant.token),
                Target(other.symbolicate_url, b"", other.token),
            )
        finally:
            service.stop()


def _looks(pid: int, pause: float = 0.5) -> list[Look]:
    found = []
    for _ in range(LOOKS):
        time.sleep(pause)
        found.append(memory(pid))
    return found


def _ask_for_modules(target: Target, count: int) -> None:
    from tests.symbolication.http import call

    for first in range(0, count, PER_REQUEST):
        asked = modules.request(range(first + 1, min(first + PER_REQUEST, count) + 1))
        answer = call(target.url, "POST", asked, token=target.token, timeout=120)
        frames = answer.json()["stacktraces"][0]["frames"]
        assert all(frame["status"] == "symbolicated" for frame in frames), frames


def rows() -> Iterator[Row]:
    """The table's rows: three plain figures, and what 1,000 modules add as a ratio to idle."""
    found = measure()
    against = "PSS of all processes, PostgreSQL's too"
    idle, after, loaded = (_totals(looks) for looks in (found.idle, found.after, found.loaded))
    yield Row("idle", Spread.of(idle), against, "MB", at_most(400), note=_by_kind(found.idle))
    yield Row("after 1,000 modules", Spread.of(after), against, "MB", note=_by_kind(found.after))
    yield Row("under load of 8 connections", Spread.of(loaded), against, "MB", note=_by_kind(found.loaded))
    yield Row("growth by 1,000 modules", Spread.ratios(after, idle), "idle")


def _totals(looks: list[Look]) -> list[float]:
    return [sum(look.values()) for look in looks]


def _by_kind(looks: list[Look]) -> str:
    look = max(looks, key=lambda each: sum(each.values()))
    return ", ".join(f"{kind} {size:.0f}" for kind, size in sorted(look.items(), key=lambda item: -item[1]))


def main(arguments: list[str] | None = None) -> Measured:
    """Measure, print, write the figures to `bench/results/memory.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modules", type=int, default=1_000)
    options = parser.parse_args(arguments)
    found = measure(options.modules)
    for state, looks in asdict(found).items():
        print(f"{state:<8}{max(_totals(looks)):>6.0f} MB: {_by_kind(looks)}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "memory.json").write_text(json.dumps(asdict(found), indent=1))
    return found


if __name__ == "__main__":
    main()
