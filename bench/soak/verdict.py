"""What is said of a run: figures per kind of request, and every rule that was broken."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.soak.overload import Flood
from bench.soak.pacing import Outcome
from bench.soak.watching import MB, Look

# Memory of the last fifth against the second one: by then every process has met every kind of work.
MOST_GROWTH = 1.15
MOST_QUEUE_AGE = 30.0
# The keeper comes by every few seconds, and lets what is in use be.
MOST_CACHE = 1.5
QUICK_REFUSAL = 2.0
LIVEZ = 5.0
CALM = 30.0


@dataclass(frozen=True)
class Figures:
    """How one kind of request fared; times in milliseconds from when it was due."""

    kind: str
    count: int
    failed: int
    p50: float
    p99: float
    most: float


def figures(outcomes: Sequence[Outcome]) -> list[Figures]:
    """One line per kind, in the order of their first request."""
    return [_figures(kind, [one for one in outcomes if one.kind == kind]) for kind in _kinds(outcomes)]


def growth(looks: Sequence[Look]) -> float:
    """Memory of the last fifth of the looks by that of the second; 1 where there are too few to tell."""
    fifth = len(looks) // 5
    if fifth == 0:
        return 1.0
    early = statistics.median(look.total for look in looks[fifth : 2 * fifth])
    late = statistics.median(look.total for look in looks[-fifth:])
    return late / early


def steady(outcomes: Sequence[Outcome], looks: Sequence[Look], cache_limit: int) -> Iterator[str]:
    """What was wrong while the load was one that the service can bear."""
    for one in outcomes:
        if one.problem:
            yield f"{one.kind} at {one.due:.0f} s: {one.problem}"
    if (grown := growth(looks)) > MOST_GROWTH:
        yield f"memory grew to {grown:.2f} times what it was"
    if (age := max((look.queue_age for look in looks), default=0.0)) > MOST_QUEUE_AGE:
        yield f"a crash waited for {age:.0f} s"
    if (taken := max((look.cache_bytes for look in looks), default=0.0)) > MOST_CACHE * cache_limit:
        yield f"the cache took {taken / MB:.0f} MB of {cache_limit / MB:.0f}"


def flooded(flood: Flood) -> Iterator[str]:
    """What was wrong when far too much came at once."""
    if flood.refused == 0:
        yield "nothing was refused: that was no flood"
    if flood.refused_median > QUICK_REFUSAL:
        yield f"half of the refusals took longer than {flood.refused_median:.1f} s"
    if flood.livez > LIVEZ:
        yield f"the health check took {flood.livez:.1f} s"
    if flood.calm > CALM:
        yield f"{flood.calm:.0f} s later requests were still slow"
    if flood.drained > CALM:
        yield f"{flood.drained:.0f} s later crashes were still waiting"


def _kinds(outcomes: Sequence[Outcome]) -> list[str]:
    return list(dict.fromkeys(one.kind for one in sorted(outcomes, key=lambda one: one.due)))


def _figures(kind: str, outcomes: Sequence[Outcome]) -> Figures:
    ordered = sorted(one.seconds * 1000 for one in outcomes)
    failed = sum(bool(one.problem) for one in outcomes)
    late = ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]
    return Figures(kind, len(ordered), failed, statistics.median(ordered), late, ordered[-1])
