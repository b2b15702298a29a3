"""Large source maps of npm packages through the engine, against the library's bare builds and lookups.

`cold` is a request about a map that nobody has seen: its table is built by a child first, which may die of it, and then
in the process. `warm` asks about positions that were never asked for, with the table at hand; `again` repeats that.
Requests have one stack of 50 frames; bare lookups are about the same 50 positions. Rounds of all variants alternate in
one process, and the ratios of the same round are what counts.
Run as `.venv/bin/python -m bench.source_maps`; prints a table and one JSON line.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from symbolic.sourcemapcache import SourceMapCache

from bench.npm import Unavailable, package
from bench.rows import Row, Spread, missing
from engine.javascript.artifacts import Listed, ListedFile, NearMiss, Query
from engine.javascript.wire import ScrapingRules, decode_js_request
from engine.lookup import Store
from engine.outgoing import Deadline
from engine.run import Gate, JavascriptEngine

PACKAGES = {
    "zrender": ("zrender", "6.1.0", "dist/zrender.js"),
    "echarts": ("echarts", "6.1.0", "dist/echarts.js"),
    "babel.min": ("@babel/standalone", "7.29.0", "babel.min.js"),
    "babel": ("@babel/standalone", "7.29.0", "babel.js"),
}
FRAMES = 50
URL = "https://app.test/app.js"
OFF = ScrapingRules(enabled=False)


@dataclass(frozen=True)
class Files:
    """A provider with one script and its map."""

    script: Path
    id: str = "bench"
    cache_key: str = "00bench"

    @property
    def source_map(self) -> Path:
        return self.script.with_name(f"{self.script.name}.map")

    def lookup(self, query: Query, deadline: Deadline) -> Sequence[Listed]:
        named = {"sourcemap": "app.js.map"}
        return [
            ListedFile("js", "", "~/app.js", named, "release"),
            ListedFile("map", "", "~/app.js.map", {}, "release"),
        ]

    def fetch(self, listed: Listed, target: BinaryIO, deadline: Deadline) -> None:
        target.write((self.script if listed.id == "js" else self.source_map).read_bytes())

    def near_misses(self, query: Query) -> Sequence[NearMiss]:
        return ()


def places(script: Path, seed: int) -> list[tuple[int, int]]:
    """Positions in a script, 1-based, spread over its text."""
    chosen = random.Random(seed)  # noqa: S311 - positions, not secrets
    lines = script.read_text().split("\n")
    weights = [len(line) for line in lines]
    picked = chosen.choices(range(len(lines)), weights, k=FRAMES)
    return [(line + 1, chosen.randint(1, len(lines[line]))) for line in picked]


def body(positions: Sequence[tuple[int, int]]) -> bytes:
    frames = [{"abs_path": URL, "lineno": line, "colno": column} for line, column in positions]
    return json.dumps({"release": "1", "stacktraces": [{"frames": frames}]}).encode()


def ask(engine: JavascriptEngine, files: Files, request: bytes) -> bytes:
    decoded = decode_js_request(request, stored=True)
    return engine.symbolicate(decoded, files, scope="bench", deadline=Deadline.after(600), scraping=OFF)


def timed(work: Callable[[], object]) -> float:
    """Milliseconds by the clock."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3


def look_up(table: SourceMapCache, positions: Sequence[tuple[int, int]]) -> None:
    for line, column in positions:
        table.lookup(line, column, 5)


def rows(count: int = 3) -> Iterator[Row]:
    """The table's rows, per map."""
    for name, (wanted, version, path) in PACKAGES.items():
        try:
            files = Files(package(wanted, version) / path)
        except Unavailable as reason:
            yield missing(name, "bare `symbolic`", reason)
            continue
        found = list(rounds(files, count))
        for ours, bare in (("cold", "build"), ("warm", "lookups")):
            ratio = Spread.of(each[ours] / each[bare] for each in found)
            yield Row(f"{name}, {ours}", ratio, f"bare `symbolic`: {bare}")


def rounds(files: Files, count: int) -> Iterator[dict[str, float]]:
    script, source_map = files.script.read_bytes(), files.source_map.read_bytes()
    for number in range(count):
        with tempfile.TemporaryDirectory() as cache:
            store = Store(Path(cache))
            engine = JavascriptEngine(store, Gate())
            _start_converter(store, Path(cache))
            yield _round(engine, files, number, script, source_map)
            store.converter.close()


def _start_converter(store: Store, place: Path) -> None:
    """It starts once per host, and is no part of a request's time."""
    source_map, script = place / "map", place / "script"
    source_map.write_bytes(b'{"version":3,"sources":[],"names":[],"mappings":""}')
    script.write_bytes(b"")
    store.converter.check_source_map(source_map, script, 1 << 28, Deadline.after(60))


def _round(engine: JavascriptEngine, files: Files, number: int, script: bytes, source_map: bytes) -> dict[str, float]:
    first, second = places(files.script, 2 * number), places(files.script, 2 * number + 1)
    built: list[SourceMapCache] = []
    figures = {"build": timed(lambda: built.append(SourceMapCache.from_bytes(script, source_map)))}
    figures["cold"] = timed(lambda: ask(engine, files, body(first)))
    figures["lookups"] = timed(lambda: look_up(built[0], second))
    figures["warm"] = timed(lambda: ask(engine, files, body(second)))
    figures["again"] = timed(lambda: ask(engine, files, body(second)))
    return figures


def summary(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """Medians in milliseconds, and medians of the ratios of a round."""
    row = {name: round(statistics.median(each[name] for each in found), 2) for name in found[0]}
    for ours, bare in (("cold", "build"), ("warm", "lookups"), ("again", "lookups")):
        row[f"{ours}/{bare}"] = round(statistics.median(each[ours] / each[bare] for each in found), 2)
    return row


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    table: dict[str, dict[str, float]] = {}
    print(
        f"{'map':10} {'MB':>5} {'build ms':>9} {'cold ms':>9} {'ratio':>6} {'lookups':>8} {'warm ms':>8} {'again':>8}"
    )
    for name, (wanted, version, path) in PACKAGES.items():
        try:
            files = Files(package(wanted, version) / path)
        except Unavailable as reason:
            print(f"{name:10} left out: {reason}")
            continue
        row = table[name] = summary(list(rounds(files, chosen.rounds)))
        size = files.source_map.stat().st_size / 1e6
        print(
            f"{name:10} {size:5.1f} {row['build']:9.1f} {row['cold']:9.1f} {row['cold/build']:6.2f} "
            f"{row['lookups']:8.2f} {row['warm']:8.2f} {row['again']:8.2f}"
        )
    print("\n" + json.dumps({"bench": "source_maps", "maps": table}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
