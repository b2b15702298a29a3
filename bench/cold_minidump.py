"""A minidump in a process that has done nothing yet: with nothing cached, and with all files on disk.

The files lie on a web server on loopback, a process of its own; 30 libraries of the program, and the unwind rules of
the system libraries. The converter runs already, as it does beside a service, and its processor time counts. Every
measurement is made in a forked child that has all modules imported and nothing in memory. Rounds of both variants
alternate, and the ratios within a round are what counts. Run as `.venv/bin/python -m bench.cold_minidump`; prints a
table and one JSON line, and with `--profile` where a process spends its time when nothing is cached.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import lzma
import os
import pstats
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import orjson

from bench.cold_request import Figures, in_child, serve_apart
from bench.rows import Row, Spread, at_most
from bench.stack_walker import breakpad_place, system_rules
from bench.warm_request import lay_out
from engine.errors import LookupFailure
from engine.lookup import Store
from engine.outgoing import Deadline, Trust
from engine.run import Engine, Gate, ReportOptions
from engine.sourcetypes.config import decode_sources
from engine.sourcetypes.registry import open_source

DUMP = Path(__file__).parent / "gen.dmp.xz"
AGAINST = "the same with its files on disk and a fresh process"
TARGET = 3.0
TICKS = os.sysconf("SC_CLK_TCK")


class Bench:
    """The dump, the source, and the two variants. `stacks` are those of the answer, which both must give."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.dump = directory / "gen.dmp"
        self.dump.write_bytes(lzma.decompress(DUMP.read_bytes()))
        served = directory / "served"
        served.mkdir()
        lay_out(served)
        for text in system_rules():
            place = served / breakpad_place(text)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text)
        url, self.server = serve_apart(served)
        config = decode_sources([{"id": "bench", "type": "http", "url": url}], operator=True)[0]
        self.source = open_source(config, owner="builtin", trust=Trust.ALL, digest_key=b"bench")
        self.on_disk = directory / "on-disk"
        in_child(lambda: self._measured(self.on_disk))
        self.stacks = (directory / "stacks.json").read_bytes()

    def cold(self) -> Figures:
        with tempfile.TemporaryDirectory(dir=self.directory) as cache:
            return self._measured(Path(cache))

    def from_disk(self) -> Figures:
        return self._measured(self.on_disk)

    def profiled(self) -> Figures:
        """What all threads spend processor time on when nothing is cached."""
        profiles = [cProfile.Profile(time.thread_time)]
        plain = threading.Thread.run

        def run(thread: threading.Thread) -> None:
            profiles.append(profile := cProfile.Profile(time.thread_time))
            profile.runcall(plain, thread)

        threading.Thread.run = run  # type: ignore[method-assign]
        with tempfile.TemporaryDirectory(dir=self.directory) as cache:
            figures = profiles[0].runcall(self._measured, Path(cache))
        stats = pstats.Stats(profiles[0])
        for profile in profiles[1:]:
            stats.add(profile)
        stats.sort_stats("tottime").print_stats(25)
        stats.sort_stats("cumulative").print_stats(60)
        return figures

    def _measured(self, cache: Path) -> Figures:
        store = Store(cache)
        # Nobody can tell what this is: it only starts the converter.
        (cache.parent / "anything").write_bytes(b"anything")
        with suppress(LookupFailure):
            store.converter.inspect(cache.parent / "anything", Deadline.after(60))
        before, began, spent = _converter_seconds(store), time.perf_counter(), time.process_time()
        answer = self._answer(Engine(store, Gate()))
        figures = {"clock": time.perf_counter() - began, "cpu": time.process_time() - spent}
        figures["converter"] = _converter_seconds(store) - before
        store.converter.close()
        stacks = orjson.dumps(orjson.loads(answer)["stacktraces"])
        if not (self.directory / "stacks.json").exists():
            (self.directory / "stacks.json").write_bytes(stacks)
        elif stacks != self.stacks:
            raise RuntimeError("the answers differ")
        return {name: seconds * 1e3 for name, seconds in figures.items()}

    def _answer(self, engine: Engine) -> bytes:
        deadline = Deadline.after(600)
        return engine.minidump(self.dump, ReportOptions(), [self.source], scope="bench", deadline=deadline)


def _converter_seconds(store: Store) -> float:
    """Processor time of the converter and of the children that it has buried."""
    own = store.converter._own
    if own is None:
        return 0.0
    fields = Path(f"/proc/{own.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def run(bench: Bench, rounds: int) -> dict[str, list[Figures]]:
    variants: dict[str, Callable[[], Figures]] = {"cold": bench.cold, "from disk": bench.from_disk}
    figures: dict[str, list[Figures]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, work in variants.items():
            figures[name].append(in_child(work))
    return figures


def measured(rounds: int) -> dict[str, list[Figures]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        bench = Bench(Path(directory))
        try:
            return run(bench, rounds)
        finally:
            os.kill(bench.server, signal.SIGKILL)
            os.waitpid(bench.server, 0)


def rows(rounds: int = 7) -> Iterator[Row]:
    """The table's rows: what a dump costs when nothing is cached."""
    figures = measured(rounds)
    cold, disk = figures["cold"], figures["from disk"]
    clock = Spread.ratios([each["clock"] for each in cold], [each["clock"] for each in disk])
    yield Row("nothing cached, by the clock", clock, AGAINST, target=at_most(TARGET))
    spent = [[each["cpu"] + each["converter"] for each in variant] for variant in (cold, disk)]
    yield Row("nothing cached, processor time", Spread.ratios(*spent), AGAINST)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--profile", action="store_true")
    chosen = options.parse_args()
    if chosen.profile:
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            bench = Bench(Path(directory))
            print(in_child(bench.profiled))
            os.kill(bench.server, signal.SIGKILL)
        return
    figures = measured(chosen.rounds)
    table = {
        variant: {name: round(statistics.median(row[name] for row in rows), 1) for name in rows[0]}
        | {
            "best_clock": round(min(row["clock"] for row in rows), 1),
            "best_cpu": round(min(row["cpu"] for row in rows), 1),
        }
        for variant, rows in figures.items()
    }
    for variant, row in table.items():
        print(f"{variant:10}", "  ".join(f"{name} {value} ms" for name, value in row.items()))
    print(json.dumps({"bench": "cold_minidump", "variants": table}))


if __name__ == "__main__":
    main()
