"""A native request with nothing cached, with files on disk in a fresh process, and warm, against what is unavoidable.

The libraries lie on a web server on loopback, a process of its own. Every measurement is made in a forked child that
has all modules imported and nothing in memory: no file verified, no lookup remembered. `bare` reads the request, checks
the sums of all symcaches that the answer rests on, looks the same addresses up and writes the answer as JSON. Rounds of
all variants alternate, and the ratios to `bare` of the same round are what counts. Processor time includes that of the
converter and of its children. Run as `.venv/bin/python -m bench.cold_request`; prints a table and one JSON line.
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import orjson

from bench import workload
from bench.rows import Row, Spread
from bench.warm_request import lay_out
from engine.caches import verify
from engine.lookup import Store
from engine.native.symcache import OpenSymcache
from engine.outgoing import Deadline, Trust
from engine.run import Engine, Gate, decode_request
from engine.sourcetypes.base import Source
from engine.sourcetypes.config import decode_sources
from engine.sourcetypes.registry import open_source

Figures = dict[str, float]
WARM_REPEATS = 5
TICKS = os.sysconf("SC_CLK_TCK")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def serve_apart(directory: Path) -> tuple[str, int]:
    """Serve a directory on loopback from another process; the base URL and the process."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(directory)))
    pid = os.fork()
    if pid == 0:
        server.serve_forever()
    server.server_close()
    return f"http://127.0.0.1:{server.server_port}", pid


def in_child(work: Callable[[], Figures]) -> Figures:
    """What `work` finds out in a forked child, so that nothing it remembers is left to others."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.write(writing, json.dumps(work()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading, "rb") as pipe:
        told = pipe.read()
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError("a child failed")
    found: Figures = json.loads(told)
    return found


class Bench:
    """What the variants have in common. `spent` is the processor time in seconds, the converter's included."""

    def __init__(self, directory: Path) -> None:
        (directory / "served").mkdir()
        lay_out(directory / "served")
        self.directory = directory
        self.url, self.server = serve_apart(directory / "served")
        config = decode_sources([{"id": "bench", "type": "http", "url": self.url}], operator=True)[0]
        self.source: Source = open_source(config, owner="builtin", trust=Trust.ALL, digest_key=b"bench")
        self.body = workload.members()["request.json"]
        self.on_disk = directory / "on-disk"
        self.rest = directory / "rest.json"
        in_child(self._prepare)
        self.answer = orjson.loads((directory / "answer.json").read_bytes())
        self.addresses: list[tuple[str, list[int]]] = json.loads(self.rest.read_text())

    def ask(self, engine: Engine) -> bytes:
        request = decode_request(self.body)
        return engine.symbolicate(request, [self.source], scope="bench", deadline=Deadline.after(600))

    def _prepare(self) -> Figures:
        """Fill the cache that `from disk` finds, and note which addresses of which symcaches are asked for."""
        noted: dict[str, list[int]] = {}
        plain = OpenSymcache.__init__
        looked_up = OpenSymcache.lookup

        def opened(cache: OpenSymcache, path: Path) -> None:
            plain(cache, path)
            noted[str(path)] = paths[id(cache)] = []
            kept.append(cache)

        def noting(cache: OpenSymcache, addresses: list[int]) -> dict[int, object]:
            wanted = list(addresses)
            paths[id(cache)].extend(wanted)
            return dict(looked_up(cache, wanted))

        paths: dict[int, list[int]] = {}
        kept: list[OpenSymcache] = []
        OpenSymcache.__init__, OpenSymcache.lookup = opened, noting  # type: ignore[method-assign,assignment]
        store = Store(self.on_disk)
        (self.directory / "answer.json").write_bytes(self.ask(Engine(store, Gate())))
        self.rest.write_text(json.dumps(list(noted.items())))
        store.converter.close()
        return {}

    def cold(self) -> Figures:
        """Nothing is cached; the converter runs, as it does beside a service."""
        with tempfile.TemporaryDirectory(dir=self.directory) as cache:
            store = Store(Path(cache))
            _start(store)
            return _timed(lambda: self.ask(Engine(store, Gate())), 1, store)

    def from_disk(self) -> Figures:
        return _timed(lambda: self.ask(Engine(Store(self.on_disk), Gate())), 1)

    def warm(self) -> Figures:
        engine = Engine(Store(self.on_disk), Gate())
        self.ask(engine)
        return _timed(lambda: self.ask(engine), WARM_REPEATS)

    def bare(self) -> Figures:
        return _timed(self._bare, 1)

    def _bare(self) -> None:
        orjson.loads(self.body)
        for path, addresses in self.addresses:
            verify(Path(path))
            OpenSymcache(Path(path)).lookup(addresses)
        orjson.dumps(self.answer)


def _start(store: Store) -> None:
    """Start the converter, which runs as long as a host does."""
    library = Path(store.cache_dir) / "library"
    library.write_bytes(next(iter(workload.symbol_files().values())))
    store.converter.inspect(library, Deadline.after(60))


def _timed(work: Callable[[], object], repeats: int, store: Store | None = None) -> Figures:
    """Milliseconds of one call, by the clock and of the processor."""
    before = _converter_seconds(store)
    began, spent = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        work()
    found = {"clock": time.perf_counter() - began, "cpu": time.process_time() - spent}
    if store is not None:
        found["cpu"] += _converter_seconds(store) - before
        store.converter.close()
    return {name: seconds / repeats * 1e3 for name, seconds in found.items()}


def _converter_seconds(store: Store | None) -> float:
    """Processor time of the converter and of the children that it has buried."""
    own = store.converter._own if store else None
    if own is None:
        return 0.0
    fields = Path(f"/proc/{own.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def rows(rounds: int = 9) -> Iterator[Row]:
    """The table's rows, by processor time."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        bench = Bench(Path(directory))
        try:
            figures = measured(bench, rounds)
        finally:
            os.kill(bench.server, 9)
    cpu = {name: [each["cpu"] for each in values] for name, values in figures.items()}
    names = {"cold": "nothing cached", "from disk": "files on disk, fresh process", "warm": "warm"}
    for name, said in names.items():
        yield Row(said, Spread.ratios(cpu[name], cpu["bare"]), "checks, bare look-ups and JSON")


def run(bench: Bench, rounds: int) -> dict[str, Figures]:
    figures = measured(bench, rounds)
    return {name: summary(values, figures["bare"]) for name, values in figures.items()}


def measured(bench: Bench, rounds: int) -> dict[str, list[Figures]]:
    """The figures of every round, by variant."""
    variants = {"bare": bench.bare, "warm": bench.warm, "from disk": bench.from_disk, "cold": bench.cold}
    figures: dict[str, list[Figures]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, work in variants.items():
            figures[name].append(in_child(work))
    return figures


def summary(values: list[Figures], bare: list[Figures]) -> Figures:
    """Medians in milliseconds, and the ratios of processor time to `bare` of the same round."""
    ratios = sorted(value["cpu"] / base["cpu"] for value, base in zip(values, bare, strict=True))
    return {
        "clock_ms": round(statistics.median(value["clock"] for value in values), 2),
        "cpu_ms": round(statistics.median(value["cpu"] for value in values), 2),
        "best_cpu_ms": round(min(value["cpu"] for value in values), 2),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_low": round(ratios[len(ratios) // 10], 2),
        "ratio_high": round(ratios[-1 - len(ratios) // 10], 2),
    }


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        bench = Bench(Path(directory))
        try:
            found = run(bench, chosen.rounds)
        finally:
            os.kill(bench.server, 9)
    print(f"{'variant':10} {'clock ms':>9} {'cpu ms':>8} {'best':>8} {'x bare':>8}   (8 of 10 rounds)")
    for name, row in found.items():
        print(
            f"{name:10} {row['clock_ms']:9.2f} {row['cpu_ms']:8.2f} {row['best_cpu_ms']:8.2f} {row['ratio']:8.2f}   "
            f"{row['ratio_low']:.2f} to {row['ratio_high']:.2f}"
        )
    print("\n" + json.dumps({"bench": "cold_request", "modules": len(bench.addresses), "variants": found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
