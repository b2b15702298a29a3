"""The run as pictures: memory by kind of process, queue and cache, and how long each kind of request took."""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pygal
from pygal.style import CleanStyle

from bench.soak.pacing import Outcome
from bench.soak.watching import MB, Look

# The library leaves an importer of a kind that Python has given up, at which others stumble.
sys.meta_path[:] = [importer for importer in sys.meta_path if hasattr(importer, "find_spec")]

_OPTIONS: dict[str, Any] = {
    "style": CleanStyle,
    "js": (),
    "width": 900,
    "height": 320,
    "show_dots": False,
    "x_title": "seconds",
    "legend_at_bottom": True,
    "legend_at_bottom_columns": 7,
    "no_prefix": True,
}
_WINDOW = 10.0
_SCRIPT = re.compile(rb"<script.*?</script>|<script[^>]*/>", re.DOTALL)


def draw(directory: Path, looks: Sequence[Look], outcomes: Sequence[Outcome]) -> list[Path]:
    """Write the pictures as SVG; their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    charts = {"memory": _memory(looks), "queue": _queue(looks), "latency": _latency(outcomes)}
    paths = []
    for name, chart in charts.items():
        path = directory / f"{name}.svg"
        path.write_bytes(_without_scripts(chart.render()))
        paths.append(path)
    return paths


def _without_scripts(drawing: bytes) -> bytes:
    """The library's drawings carry some that nothing here needs, and that pages with a policy refuse."""
    return _SCRIPT.sub(b"", drawing)


def _memory(looks: Sequence[Look]) -> Any:
    chart = pygal.XY(**_OPTIONS, title="Memory (PSS), MB")
    kinds = sorted({kind for look in looks for kind in look.memory})
    chart.add("all", [(look.at, round(look.total, 1)) for look in looks])
    for kind in kinds:
        chart.add(kind, [(look.at, round(look.memory.get(kind, 0.0), 1)) for look in looks])
    return chart


def _queue(looks: Sequence[Look]) -> Any:
    chart = pygal.XY(**_OPTIONS, title="Age of the oldest crash and job waiting, s; cache, MB (right)")
    chart.add("crash", [(look.at, look.queue_age) for look in looks])
    chart.add("job", [(look.at, look.job_age) for look in looks])
    chart.add("cache", [(look.at, look.cache_bytes / MB) for look in looks], secondary=True)
    return chart


def _latency(outcomes: Sequence[Outcome]) -> Any:
    chart = pygal.XY(**_OPTIONS, title=f"Slowest tenth of requests in {_WINDOW:.0f} s, ms", logarithmic=True)
    for kind in sorted({one.kind for one in outcomes}):
        chart.add(kind, list(_slow([one for one in outcomes if one.kind == kind])))
    return chart


def _slow(outcomes: Iterable[Outcome]) -> Iterable[tuple[float, float]]:
    windows: dict[int, list[float]] = {}
    for one in outcomes:
        windows.setdefault(int(one.due // _WINDOW), []).append(one.seconds * 1000)
    for window, values in sorted(windows.items()):
        late = max(values) if len(values) < 10 else statistics.quantiles(values, n=10)[-1]
        yield window * _WINDOW, round(late, 2)
