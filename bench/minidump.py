"""A whole minidump in a warm process against Breakpad's stack walker, which reads its symbols anew each time.

Both get the same symbols of the program and the same unwind rules of the system libraries. Rounds of all variants
alternate, processor time is measured, and the ratios to the walker of the same round are what counts; without the
walker the floor stands in its place. Run as `.venv/bin/python -m bench.minidump`; prints a table and one JSON line.
"""

from __future__ import annotations

import argparse
import json
import lzma
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson

from bench import cold_minidump
from bench.rows import Row, Spread, at_least, missing
from bench.stack_walker import Unavailable, breakpad_place, stack_walker, system_rules
from bench.warm_request import lay_out
from engine.lookup import Store
from engine.outgoing import Deadline, Trust
from engine.run import Engine, Gate, ReportOptions
from engine.sourcetypes.base import Source
from engine.sourcetypes.config import decode_sources
from engine.sourcetypes.registry import open_source

DUMP = Path(__file__).parent / "gen.dmp.xz"
WALKER = "stack walker"
TARGET = 8.0


class Bench:
    """The engine, its source, the dump, and the walker where there is one."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "gen.dmp"
        self.path.write_bytes(lzma.decompress(DUMP.read_bytes()))
        (directory / "served").mkdir()
        lay_out(directory / "served")
        for text in system_rules():
            place = directory / "served" / breakpad_place(text)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text)
        config = {"id": "bench", "type": "filesystem", "path": str(directory / "served")}
        source = decode_sources([config], operator=True)[0]
        self.source: Source = open_source(source, owner="builtin", trust=Trust.ALL, digest_key=b"bench")
        self.store = Store(directory / "cache")
        self.engine = Engine(self.store, Gate())
        self.answer = orjson.loads(self.symbolicate(self.engine))

    def symbolicate(self, engine: Engine) -> bytes:
        deadline = Deadline.after(600)
        return engine.minidump(self.path, ReportOptions(), [self.source], scope="bench", deadline=deadline)

    def warm(self) -> None:
        self.symbolicate(self.engine)

    def cold(self) -> None:
        """All files are on disk and converted; nothing is in memory."""
        self.symbolicate(Engine(self.store, Gate()))

    def floor(self) -> None:
        orjson.dumps(self.answer)


def walked(program: Path, dump: Path, symbols: Path) -> list[str]:
    """The frames that the walker prints."""
    ran = subprocess.run([program, "-m", dump, symbols], capture_output=True, text=True, check=True, errors="replace")
    return [line for line in ran.stdout.splitlines() if line[:1].isdigit()]


def processor_time() -> float:
    """Seconds of this process and of those that it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(work: Callable[[], object], repeats: int) -> float:
    """Milliseconds of processor time for one call, the mean of `repeats`."""
    started = processor_time()
    for _ in range(repeats):
        work()
    return (processor_time() - started) / repeats * 1e3


def run(variants: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    figures: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, work in variants.items():
            figures[name].append(timed(work, 1 if name == WALKER else 5))
    return figures


def summary(values: list[float], walker: list[float]) -> dict[str, float]:
    """Milliseconds, and how many times faster than the walker of the same round."""
    ratios = sorted(base / value for value, base in zip(values, walker, strict=True))
    return {
        "ms": round(statistics.median(values), 2),
        "times_faster": round(statistics.median(ratios), 2),
        "low": round(ratios[len(ratios) // 10], 2),
        "high": round(ratios[-1 - len(ratios) // 10], 2),
    }


def rows(rounds: int = 11) -> Iterator[Row]:
    """The table's rows: how many times faster than the walker."""
    target, against = at_least(8), "Breakpad's stack walker"
    try:
        program, symbols = stack_walker()
    except Unavailable as reason:
        yield missing("warm, times faster", against, reason, target=target)
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        bench = Bench(Path(directory))
        variants = {"warm": bench.warm, "cold": bench.cold, WALKER: lambda: walked(program, bench.path, symbols)}
        figures = run(variants, rounds)
    yield Row("warm, times faster", Spread.ratios(figures[WALKER], figures["warm"]), against, target=target)
    yield Row("files on disk, times faster", Spread.ratios(figures[WALKER], figures["cold"]), against)
    yield from cold_minidump.rows()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=15)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        bench = Bench(Path(directory))
        variants: dict[str, Callable[[], object]] = {"floor": bench.floor, "warm": bench.warm, "cold": bench.cold}
        try:
            program, symbols = stack_walker()
            variants[WALKER] = lambda: walked(program, bench.path, symbols)
            print(f"the stack walker prints {len(walked(program, bench.path, symbols))} frames")
        except Unavailable as reason:
            print(f"no stack walker to compare with: {reason}")
        figures = run(variants, chosen.rounds)
    return report(bench, figures)


def report(bench: Bench, figures: dict[str, list[float]]) -> int:
    """Print the table; 1 when a warm dump is not as much faster than the walker as it should be."""
    base = WALKER if WALKER in figures else "floor"
    rows = {name: summary(values, figures[base]) for name, values in figures.items()}
    stacks = bench.answer["stacktraces"]
    print(f"{sum(len({f['original_index'] for f in stack['frames']}) for stack in stacks)} frames answered by us\n")
    print(f"{'variant':14} {'ms':>8}  times faster than the {base} (8 of 10 rounds)")
    for name, row in rows.items():
        print(f"{name:14} {row['ms']:8.2f} {row['times_faster']:8.2f}   {row['low']:.2f} to {row['high']:.2f}")
    print("\n" + json.dumps({"bench": "minidump", "against": base, "variants": rows}))
    return int(base == WALKER and rows["warm"]["times_faster"] < TARGET)


if __name__ == "__main__":
    raise SystemExit(main())
