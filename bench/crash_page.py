"""Showing a huge crash: 300 threads of 100 frames and 500 modules, one thread open, against decoding its stored result.

The result is decoded, made into what the page shows, and written as HTML by the page's own templates; the rows around
it are a handful of queries and not measured here. Rounds of both alternate in one process.

    python -m bench.crash_page [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.rows import Row, Spread

RESULTS = Path(__file__).parent / "results"


def milliseconds(act: Callable[[], object]) -> float:
    """The processor time of one call."""
    began = time.process_time()
    act()
    return (time.process_time() - began) * 1000


def measure(rounds: int) -> list[dict[str, float]]:
    """Both, in turns; a round before the first is not counted."""
    from django.template.loader import get_template

    from crashes.pages.shown import show
    from crashes.results import unpacked
    from tests.browser.huge import huge

    body, template = huge(), get_template("crashes/result/result.html")

    def shown() -> str:
        values: dict[str, Any] = {"shown": show(unpacked(body)), "thread_address": "/thread/", "mend": False}
        return template.render(values)

    shown()
    return [{"page_ms": milliseconds(shown), "decode_ms": milliseconds(lambda: unpacked(body))} for _ in range(rounds)]


def rows(rounds: int = 15) -> Iterator[Row]:
    """The table's row."""
    _set_up()
    found = measure(rounds)
    ratio = Spread.of(each["page_ms"] / each["decode_ms"] for each in found)
    note = f"{statistics.median(each['page_ms'] for each in found):.0f} ms"
    yield Row("300 threads of 100 frames, 500 modules", ratio, "decoding the stored result", note=note)


def _set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "symbolsvc.settings")
    django.setup()


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print the table, write the figures to `bench/results/crash_page.json`."""
    _set_up()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = measure(parser.parse_args(arguments).rounds)
    ratios = [each["page_ms"] / each["decode_ms"] for each in rounds]
    result: dict[str, Any] = {name: round(statistics.median(each[name] for each in rounds), 1) for name in rounds[0]}
    result["ratio"] = {
        "median": round(statistics.median(ratios), 2), "least": round(min(ratios), 2), "greatest": round(max(ratios), 2)
    }  # fmt: skip
    print(f"300 threads of 100 frames, 500 modules: page {result['page_ms']} ms, decoding {result['decode_ms']} ms")
    print("page / decoding: {median} ({least} to {greatest})".format(**result["ratio"]))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "crash_page.json").write_text(json.dumps(result, indent=1))
    return result


if __name__ == "__main__":
    main()
