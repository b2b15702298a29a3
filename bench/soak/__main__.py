"""A load of every kind for minutes, then far too much of it: no error, flat memory, no growing queue; and recovery.

    python -m bench.soak [--seconds S] [--flood S] [--to DIRECTORY]

Every kind of request comes at a pace of its own, whatever the answers take, and is timed from when it was due. The
cache is so small that it is at its limit nearly all the time. The exit status is 1 when a rule of `bench.soak.verdict`
is broken.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench import machine, workload
from bench.soak import plots, verdict
from bench.soak.overload import Flood, flood
from bench.soak.pacing import Load, Outcome
from bench.soak.watching import Look, Watch, metrics
from bench.soak.world import CACHE_BYTES, World, running

RESULTS = Path(__file__).parent.parent / "results" / "soak"


def main(arguments: list[str] | None = None) -> int:
    """Load, flood, judge, draw; the exit status."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, running(Path(name)) as world:
        _warm(world)
        load = Load(world.kinds, options.seconds)
        assert world.service.process is not None
        with Watch(world.service.process.pid, world.tenant.url) as watch:
            load.run()
        over = flood(world, json.dumps(workload.request()).encode(), options.flood, lambda: _waiting(world))
    problems = [*verdict.steady(load.outcomes, watch.looks, CACHE_BYTES), *verdict.flooded(over)]
    plots.draw(options.to, watch.looks, load.outcomes)
    _write(options.to, load.outcomes, watch.looks, over, problems)
    print(report(load.outcomes, watch.looks, over, problems))
    return bool(problems)


def report(outcomes: Sequence[Outcome], looks: Sequence[Look], over: Flood, problems: Sequence[str]) -> str:
    """The run for people."""
    lines = [f"{'kind':<16}{'requests':>9}{'failed':>8}{'p50 ms':>9}{'p99 ms':>9}{'most ms':>9}"]
    lines += [
        f"{one.kind:<16}{one.count:>9}{one.failed:>8}{one.p50:>9.0f}{one.p99:>9.0f}{one.most:>9.0f}"
        for one in verdict.figures(outcomes)
    ]
    lines += [
        f"memory: {looks[0].total:.0f} MB at first, {looks[-1].total:.0f} at the end,"
        f" {verdict.growth(looks):.2f} times the second fifth's in the last",
        f"a crash waited for {max(look.queue_age for look in looks):.1f} s at most",
        f"flood: {over.answered} answered, {over.refused} refused (half within {over.refused_median * 1000:.0f} ms),"
        f" health check {over.livez * 1000:.0f} ms at most, as fast as usual {over.calm:.1f} s later,"
        f" no crash waiting {over.drained:.1f} s later",
        *([f"BROKEN: {problem}" for problem in problems[:20]] or ["every rule was kept"]),
    ]
    return "\n".join(lines)


def _warm(world: World) -> None:
    """One of each, so that what is only slow the first time is over."""
    for kind in world.kinds:
        if kind.name not in ("new modules", "page"):
            kind.send(0)


def _waiting(world: World) -> float:
    return max(metrics(world.tenant.url).get("symbolsvc_crash_queue_age_seconds", [0.0]))


def _write(
    directory: Path, outcomes: Sequence[Outcome], looks: Sequence[Look], over: Flood, problems: Sequence[str]
) -> None:
    told = {
        "date": machine.now(),
        "commit": machine.commit(),
        "machine": machine.facts(),
        "kinds": [asdict(one) for one in verdict.figures(outcomes)],
        "memory_growth": verdict.growth(looks),
        "looks": [asdict(look) for look in looks],
        "flood": asdict(over),
        "problems": list(problems),
    }
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "soak.json").write_text(json.dumps(told, indent=1) + "\n")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0, help="of the steady load")
    parser.add_argument("--flood", type=float, default=20.0, help="seconds of too much")
    parser.add_argument("--to", type=Path, default=RESULTS, help="where figures and pictures go")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
