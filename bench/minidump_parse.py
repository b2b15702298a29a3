"""Reading minidumps against the `minidump` package of PyPI, on every dump that both can read.

Ours reads every stream; the package leaves out the CodeView ids of modules, the names of threads, and what Breakpad,
Crashpad and Mozilla add. A second figure also parses the texts of /proc that a Linux dump holds. Rounds of all variants
alternate in one process, and the ratios of the same round are what counts.
Run as `.venv/bin/python -m bench.minidump_parse [DIR …]`; prints a table and one JSON line. Fails where ours is slower.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from minidump.minidumpfile import MinidumpFile

from bench.rows import Row, Spread, at_least, missing
from engine.minidump import BadMinidump, Minidump, open_minidump

SHARED = Path(os.environ.get("SYMBOLSVC_SHARED") or Path(__file__).parents[2] / "shared") / "fixtures"
OWN = Path(__file__).parents[1] / "tests" / "fixtures"


def ours(data: bytes) -> Minidump:
    """Every stream, with every context, module id and annotation decoded."""
    dump = open_minidump(data)
    if dump.damaged:
        raise ValueError("a dump of the bench is damaged")
    return dump


def ours_and_texts(data: bytes) -> None:
    """The same, and the texts of /proc as well."""
    linux = ours(data).linux
    if linux is not None:
        (
            linux.mappings(),
            linux.arguments(),
            linux.variables(),
            linux.status_fields(),
            linux.release(),
            linux.processors(),
        )


def theirs(data: bytes) -> None:
    MinidumpFile.parse_buff(io.BytesIO(data))


VARIANTS: dict[str, Callable[[bytes], object]] = {"ours": ours, "ours_and_texts": ours_and_texts, "theirs": theirs}


def readable(data: bytes, read: Callable[[bytes], object]) -> bool:
    try:
        read(data)
    except (BadMinidump, ValueError):
        return False
    except Exception:  # noqa: BLE001 - the package raises whatever its code runs into
        return False
    return True


def timed(read: Callable[[bytes], object], data: bytes, repeats: int) -> float:
    """Milliseconds of processor time for one reading, the mean of `repeats`."""
    started = time.process_time()
    for _ in range(repeats):
        read(data)
    return (time.process_time() - started) / repeats * 1e3


def measured(data: bytes, rounds: int, repeats: int) -> dict[str, list[float]]:
    """Milliseconds of every round, by variant."""
    figures: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for _ in range(rounds):
        for name, read in VARIANTS.items():
            figures[name].append(timed(read, data, repeats))
    return figures


def compare(data: bytes, rounds: int, repeats: int) -> dict[str, float]:
    figures = measured(data, rounds, repeats)
    row = {name: round(statistics.median(values), 4) for name, values in figures.items()}
    ratios = sorted(b / a for a, b in zip(figures["ours"], figures["theirs"], strict=True))
    with_texts = [b / a for a, b in zip(figures["ours_and_texts"], figures["theirs"], strict=True)]
    return row | {
        "ratio": round(statistics.median(ratios), 2),
        "ratio_low": round(ratios[len(ratios) // 10], 2),
        "ratio_with_texts": round(statistics.median(with_texts), 2),
    }


def dumps(places: Iterable[Path]) -> dict[str, Path]:
    """Every dump below the directories, by name."""
    return {path.name: path for place in places for path in sorted(place.rglob("*.dmp")) if path.is_file()}


def rows(rounds: int = 9, repeats: int = 5) -> Iterator[Row]:
    """The table's rows: all dumps that both can read, one after the other, as one figure per round."""
    logging.disable(logging.CRITICAL)
    read = [path.read_bytes() for path in dumps([SHARED, OWN]).values()]
    both = [data for data in read if readable(data, ours) and readable(data, theirs)]
    if not both:
        yield missing("every stream, times faster", "the package `minidump`", "there are no dumps")
        return
    figures = [measured(data, rounds, repeats) for data in both]
    totals = {name: [sum(each[name][at] for each in figures) for at in range(rounds)] for name in VARIANTS}
    against, note = "the package `minidump`", f"{len(both)} dumps"
    ratio = Spread.ratios(totals["theirs"], totals["ours"])
    yield Row("every stream, times faster", ratio, against, target=at_least(1), note=note)
    yield Row("and the texts of /proc", Spread.ratios(totals["theirs"], totals["ours_and_texts"]), against)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("places", nargs="*", type=Path, default=[SHARED, OWN])
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--repeats", type=int, default=10)
    chosen = options.parse_args()
    # Their messages about what they do not know would cost them time.
    logging.disable(logging.CRITICAL)
    found = dumps(chosen.places)
    table: dict[str, dict[str, float]] = {}
    print(f"{'dump':32} {'KB':>5} {'ours ms':>9} {'theirs ms':>9} {'ratio':>6} {'low':>6} {'with texts':>10}")
    for name, path in found.items():
        data = path.read_bytes()
        if not readable(data, ours) or not readable(data, theirs):
            print(f"{name:32} {len(data) >> 10:5} {'read' if readable(data, ours) else 'refused':>9} {'-':>9}")
            continue
        row = table[name] = compare(data, chosen.rounds, chosen.repeats)
        times = f"{row['ours']:9.3f} {row['theirs']:9.3f}"
        print(
            f"{name:32} {len(data) >> 10:5} {times} {row['ratio']:6.1f} {row['ratio_low']:6.1f} "
            f"{row['ratio_with_texts']:10.1f}"
        )
    print("\n" + json.dumps({"bench": "minidump_parse", "dumps": table}))
    slower = [name for name, row in table.items() if row["ratio"] <= 1]
    if slower:
        print(f"not faster: {', '.join(slower)}")
    return 1 if slower else 0


if __name__ == "__main__":
    raise SystemExit(main())
