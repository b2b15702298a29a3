"""A warm symbolication request against the floor: reading and writing the same JSON and nothing else.

The libraries lie on a web server on loopback in the native layout and go through the real lookup once. Then rounds of
all variants alternate in one process, and the ratios to the floor of the same round are what counts: the figures
themselves follow the machine's mood. Run as `.venv/bin/python -m bench.warm_request`; prints a table and one JSON line.
"""

from __future__ import annotations

import argparse
import http.server
import json
import random
import statistics
import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path

import orjson

from bench import workload
from bench.rows import Row, Spread, at_most
from engine.lookup import Store
from engine.native.fragments import FragmentCache
from engine.native.reading import RequestReader
from engine.native.stencils import Stencils
from engine.outgoing import Deadline, Trust
from engine.run import Engine, Gate, decode_request
from engine.sourcetypes.base import Source
from engine.sourcetypes.config import decode_sources
from engine.sourcetypes.registry import open_source

# Processes whose modules lie elsewhere, as many as are asked about in turns.
PROCESSES = 16
PAGE = 4096
# How often a stack comes until its answer is ready.
ROUNDS_TO_LEARN = 4


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def serve(directory: Path) -> str:
    """Serve a directory on loopback until the process ends; the base URL."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(directory)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def lay_out(directory: Path) -> None:
    """Write the workload's modules where the native layout has them."""
    for path, data in workload.symbol_files().items():
        place = directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def moved(body: bytes, seed: int) -> bytes:
    """The same request of a process that loaded each of its modules elsewhere."""
    request, chance = json.loads(body), random.Random(seed)
    modules = sorted((int(module["image_addr"], 16), module) for module in request["modules"])
    starts, shifts = [start for start, _ in modules], []
    place = 0x7F0000000000 + chance.randrange(1 << 24) * PAGE
    for start, module in modules:
        shifts.append(place - start)
        module["image_addr"] = hex(place)
        place += (module["image_size"] // PAGE + 1 + chance.randrange(64)) * PAGE
    for stack in request["stacktraces"]:
        for frame in stack["frames"]:
            address = int(frame["instruction_addr"], 16)
            frame["instruction_addr"] = hex(address + shifts[bisect_right(starts, address) - 1])
    return json.dumps(request).encode()


class Bench:
    """The engine, the source, and the variants that are timed."""

    def __init__(self, directory: Path) -> None:
        (directory / "served").mkdir()
        lay_out(directory / "served")
        config = decode_sources([{"id": "bench", "type": "http", "url": serve(directory / "served")}], operator=True)[0]
        self.source: Source = open_source(config, owner="builtin", trust=Trust.ALL, digest_key=b"bench")
        self.engine = Engine(Store(directory / "cache"), Gate())
        self.body = workload.members()["request.json"]
        self.moved = cycle([moved(self.body, seed) for seed in range(PROCESSES)])
        self.answer = orjson.loads(self.symbolicate(self.body))

    def symbolicate(self, body: bytes) -> bytes:
        return self.engine.symbolicate(
            self.engine.decode(body), [self.source], scope="bench", deadline=Deadline.after(600)
        )

    def floor(self) -> None:
        orjson.loads(self.body)
        orjson.dumps(self.answer)

    def warm(self) -> None:
        self.symbolicate(self.body)

    def plain(self) -> None:
        """Every stack decoded and written frame by frame, as one is that never came before."""
        self.engine.symbolicate(
            decode_request(next(self.moved)), [self.source], scope="bench", deadline=Deadline.after(600)
        )

    def warm_elsewhere(self) -> None:
        self.symbolicate(next(self.moved))

    def all_miss(self) -> None:
        """No fragment is known; names, open symcaches and resolved modules are."""
        self.engine.fragments = FragmentCache()
        self.engine.stencils = Stencils()
        self.engine.reader = RequestReader(self.engine.identities)
        self.symbolicate(self.body)

    def decode(self) -> None:
        self.engine.decode(self.body)


def timed(work: Callable[[], None], repeats: int) -> float:
    """Milliseconds of processor time for one call, the mean of `repeats`."""
    started = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - started) / repeats * 1e3


def run(bench: Bench, rounds: int, repeats: int) -> dict[str, list[float]]:
    """Milliseconds of every round, by variant."""
    variants = {
        "floor": bench.floor,
        "decode only": bench.decode,
        "warm": bench.warm,
        "warm, loaded elsewhere": bench.warm_elsewhere,
        "other stacks, same code": bench.plain,
        "all fragments missing": bench.all_miss,
    }
    figures: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, work in variants.items():
            figures[name].append(timed(work, repeats))
        for _ in range(ROUNDS_TO_LEARN):
            bench.warm()
    return figures


def summary(values: list[float], floor: list[float]) -> dict[str, float]:
    ratios = sorted(value / base for value, base in zip(values, floor, strict=True))
    return {
        "ms": round(statistics.median(values), 3),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_low": round(ratios[len(ratios) // 10], 2),
        "ratio_high": round(ratios[-1 - len(ratios) // 10], 2),
    }


def rows(rounds: int = 15, repeats: int = 10) -> Iterator[Row]:
    """The table's rows; the floor is reading the request and writing the answer as JSON."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        figures = run(Bench(Path(directory)), rounds, repeats)
    targets = {"warm": at_most(1.8), "warm, loaded elsewhere": at_most(1.8), "all fragments missing": at_most(8)}
    for name, target in targets.items():
        yield Row(name, Spread.ratios(figures[name], figures["floor"]), "the JSON floor", target=target)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--repeats", type=int, default=10)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        bench = Bench(Path(directory))
        frames = [frame["status"] for stack in bench.answer["stacktraces"] for frame in stack["frames"]]
        figures = run(bench, chosen.rounds, chosen.repeats)
    result = {name: summary(values, figures["floor"]) for name, values in figures.items()}
    print(f"{len(frames)} frames answered, {frames.count('symbolicated')} of them symbolicated\n")
    print(f"{'variant':24} {'ms':>8} {'x floor':>8}   (8 of 10 rounds)")
    for name, row in result.items():
        print(f"{name:24} {row['ms']:8.3f} {row['ratio']:8.2f}   {row['ratio_low']:.2f} to {row['ratio_high']:.2f}")
    print("\n" + json.dumps({"bench": "warm_request", "frames": len(frames), "variants": result}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
