"""Walking the stacks of a dump, per frame, against one look-up in a symcache as the library offers it.

The dump is the crash that the workload's libraries were made for: 20 threads, over a thousand frames. Rounds of all
variants alternate in one process, and the ratios of the same round are what counts.
Run as `.venv/bin/python -m bench.unwind_walk`; prints a table and one JSON line. Fails where a warm walk takes more
than 1.5 look-ups per frame.
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from symbolic import Archive, SymCache

from bench import workload
from bench.rows import Row, Spread, at_most
from engine.formats.cfi import CfiIndex, build_index
from engine.minidump import Minidump, open_minidump
from engine.unwind import MISSING_YET, ModuleMap, ModuleRules, Need, RuleBudget, Walk, walk
from engine.unwind.model import Pending

DUMP = Path(__file__).parent / "gen.dmp.xz"
SYSTEM = Path("/usr/lib/x86_64-linux-gnu")
MOST = 1.5


def archives(dump: Minidump) -> Iterator[tuple[int, Archive]]:
    """The modules' files by their index in the dump, system libraries as far as this machine has the dump's."""
    for at, module in enumerate(dump.modules):
        name = Path(module.name).name
        if name in workload.members():
            yield at, Archive.from_bytes(workload.members()[name])
        elif (SYSTEM / name).exists():
            archive = Archive.open(str(SYSTEM / name))
            if next(archive.iter_objects()).code_id == module.code_id:
                yield at, archive


def indexed(archive: Archive) -> bytes:
    target = io.BytesIO()
    build_index(next(archive.iter_objects()).make_cficache().open_stream().read(), target)
    return target.getvalue()


@dataclass
class Book:
    """All rules at hand; symbols are had everywhere."""

    held: dict[int, ModuleRules] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)

    def rules(self, module: int) -> ModuleRules | None | Literal[Pending.MISSING_YET]:
        return self.held.get(module) if module in self.asked else MISSING_YET

    def has_symbol(self, module: int, relative: int) -> bool:
        return True


class Bench:
    """The dump, the rules of its modules, and the variants that are timed."""

    def __init__(self) -> None:
        self.dump = open_minidump(lzma.decompress(DUMP.read_bytes()))
        opened = dict(archives(self.dump))
        self.indexes = {at: indexed(archive) for at, archive in opened.items()}
        self.rules = self.opened_rules()
        self.modules = ModuleMap(self.dump.modules)
        self.starts = [self.dump.start(thread) for thread in self.dump.threads]
        self.walks = list(self.walked(self.rules))
        self.frames = sum(len(walked.frames) for walked in self.walks)
        self.lookups = list(self.own_frames(opened))

    def opened_rules(self) -> dict[int, ModuleRules]:
        budget = RuleBudget()
        return {at: ModuleRules(CfiIndex.open(data), budget) for at, data in self.indexes.items()}

    def walked(self, rules: dict[int, ModuleRules]) -> Iterator[Walk]:
        book, memory, os = Book(rules), self.dump.memory, self.dump.system.os
        for start in self.starts:
            assert start.registers is not None
            walking = walk(start.registers, start.stack, memory, self.modules, book, os)
            try:
                while True:
                    need: Need = next(walking)
                    book.asked.add(need.module)
            except StopIteration as stopped:
                yield stopped.value

    def own_frames(self, opened: dict[int, Archive]) -> Iterator[tuple[SymCache, int]]:
        """Every frame in one of the workload's modules, as a look-up."""
        caches: dict[int, SymCache] = {}
        for walked in self.walks:
            for frame in walked.frames:
                if frame.module is None or Path(self.dump.modules[frame.module].name).name not in workload.members():
                    continue
                if frame.module not in caches:
                    caches[frame.module] = next(opened[frame.module].iter_objects()).make_symcache()
                yield caches[frame.module], frame.address - 1 - self.modules.bases[frame.module]

    def warm(self) -> int:
        return sum(len(walked.frames) for walked in self.walked(self.rules))

    def cold(self) -> int:
        """No rule is compiled yet and the files of rules are opened."""
        return sum(len(walked.frames) for walked in self.walked(self.opened_rules()))

    def lookup(self) -> int:
        for cache, relative in self.lookups:
            cache.lookup(relative)
        return len(self.lookups)


def timed(work: Callable[[], int], repeats: int) -> float:
    """Microseconds of processor time for one frame."""
    started = time.process_time()
    frames = sum(work() for _ in range(repeats))
    return (time.process_time() - started) / frames * 1e6


def run(bench: Bench, rounds: int, repeats: int) -> dict[str, list[float]]:
    """Microseconds a frame of every round, by variant."""
    variants = {"one look-up": bench.lookup, "walk, warm": bench.warm, "walk, cold": bench.cold}
    figures: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, work in variants.items():
            figures[name].append(timed(work, repeats))
    return figures


def summary(values: list[float], base: list[float]) -> dict[str, float]:
    ratios = sorted(value / one for value, one in zip(values, base, strict=True))
    return {
        "us": round(statistics.median(values), 2),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_low": round(ratios[len(ratios) // 10], 2),
        "ratio_high": round(ratios[-1 - len(ratios) // 10], 2),
    }


def rows(rounds: int = 15, repeats: int = 5) -> Iterator[Row]:
    """The table's rows, per frame."""
    figures = run(Bench(), rounds, repeats)
    against, base = "one look-up in a symcache", figures["one look-up"]
    yield Row("a frame, warm", Spread.ratios(figures["walk, warm"], base), against, target=at_most(MOST))
    yield Row("a frame, no rule compiled", Spread.ratios(figures["walk, cold"], base), against)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--repeats", type=int, default=5)
    chosen = options.parse_args()
    bench = Bench()
    figures = run(bench, chosen.rounds, chosen.repeats)
    result = {name: summary(values, figures["one look-up"]) for name, values in figures.items()}
    sure = sum(frame.trust == "cfi" for walked in bench.walks for frame in walked.frames)
    print(f"{bench.frames} frames of {len(bench.walks)} threads, {sure} of them by unwind rules\n")
    print(f"{'variant':16} {'us a frame':>10} {'x look-up':>9}   (8 of 10 rounds)")
    for name, row in result.items():
        print(f"{name:16} {row['us']:10.2f} {row['ratio']:9.2f}   {row['ratio_low']:.2f} to {row['ratio_high']:.2f}")
    print("\n" + json.dumps({"bench": "unwind_walk", "frames": bench.frames, "by_rules": sure, "variants": result}))
    return 1 if result["walk, warm"]["ratio"] > MOST else 0


if __name__ == "__main__":
    raise SystemExit(main())
