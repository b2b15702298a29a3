"""The benches, one after the other: `make bench`. Each runs in a process of its own, so that none warms another.

    python -m bench [NAME …] [--against bench/reference.json] [--to FILE]

A bench is a module of this package with `rows() -> Iterable[Row]`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import machine
from bench.rows import Row, decoded, encoded, missing
from bench.table import moved, table

BENCHES = (
    "warm_request",
    "http_request",
    "cold_request",
    "minidump",
    "cold_minidump",
    "minidump_parse",
    "unwind_walk",
    "source_maps",
    "submission",
    "uploads",
    "source_api",
    "crash_page",
    "memory",
    "startup",
    "scaling",
    "growth",
)
LATEST = Path(__file__).parent / "results" / "latest.json"
MOST_SECONDS = 180
# Making a million crashes takes its time, and so does storing files durably on a slow disk.
LONGER = {"growth": 420, "uploads": 240}


def main(arguments: list[str] | None = None) -> int:
    """The number of benches that failed."""
    options = _options(arguments)
    if options.child:
        return _child(options.child, options.to)
    if unknown := set(options.names) - set(BENCHES):
        sys.exit(f"there is no bench {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    run = {"date": machine.now(), "commit": machine.commit(), "machine": machine.facts()}
    found = {name: measured(name) for name in options.names or BENCHES}
    print("\n".join(table({name: rows for name, (rows, _) in found.items()})))
    _write(options.to, run, found)
    if options.against:
        compare(options.against, {name: rows for name, (rows, _) in found.items()})
    return sum(any(row.note.startswith(FAILED) for row in rows) for rows, _ in found.values())


FAILED = "not measured: the bench "


def measured(name: str) -> tuple[list[Row], float]:
    """The rows of a bench, run in a process group of its own, and the seconds that it took."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        to = Path(directory) / "rows.json"
        print(f"{name} …", end=" ", flush=True, file=sys.stderr)
        ended = _run([sys.executable, "-m", "bench", "--child", name, "--to", str(to)], LONGER.get(name, MOST_SECONDS))
        seconds = time.monotonic() - began
        print(f"{seconds:.0f} s", file=sys.stderr)
        if ended or not to.exists():
            return [missing(name, "", ended or "the bench gave nothing")], seconds
        return [decoded(row) for row in json.loads(to.read_text())], seconds


def _run(argv: list[str], most_seconds: int) -> str:
    """Empty when it ended well, else what is wrong with it."""
    process = subprocess.Popen(argv, stdout=sys.stderr, start_new_session=True)
    try:
        status = process.wait(most_seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        return f"the bench took longer than {most_seconds} s"
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGTERM)
        raise
    return f"the bench ended with status {status}" if status else ""


def _child(name: str, to: Path) -> int:
    rows = importlib.import_module(f"bench.{name}").rows()
    to.write_text(json.dumps([encoded(row) for row in rows]))
    return 0


def _write(to: Path, run: dict[str, Any], found: dict[str, tuple[list[Row], float]]) -> None:
    benches = {
        name: {"seconds": round(seconds, 1), "rows": [_rounded(encoded(row)) for row in rows]}
        for name, (rows, seconds) in found.items()
    }
    to.parent.mkdir(exist_ok=True)
    to.write_text(json.dumps({**run, "benches": benches}, indent=1, ensure_ascii=False) + "\n")


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    if row["ratio"] is None:
        return row
    return row | {"ratio": {name: float(f"{value:.4g}") for name, value in row["ratio"].items()}}


def compare(reference: Path, now: dict[str, list[Row]]) -> None:
    """Print what moved by more than the spread since another run."""
    before = json.loads(reference.read_text())
    rows = {name: [decoded(row) for row in each["rows"]] for name, each in before["benches"].items()}
    changes = list(moved(rows, now))
    print(f"\nMoved by more than the spread since {before['commit']} of {before['date']}:")
    print("\n".join(f"  {change}" for change in changes or ["nothing"]))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios against something fixed, in one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones: {', '.join(BENCHES)}; all by default")
    parser.add_argument("--against", type=Path, help="the file of another run, to print what moved")
    parser.add_argument("--to", type=Path, default=LATEST, help="where the figures go as JSON")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
