"""What came of lookups, counted in this process."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from core.metrics.declared import lookups
from engine.lookup.diagnosis import SourceTries
from engine.lookup.model import Outcome, TryRecord

# A try is counted when it was made within this time; older results come from a cache, and were counted then.
FRESH_SECONDS: Final = 60.0
_REMEMBERED: Final = 4096
# For Prometheus: nothing was asked, since the answer was known.
_KNOWN: Final = "known"
_MISSES: Final = frozenset({Outcome.NOT_FOUND, Outcome.WRONG_ID})


@dataclass(frozen=True, slots=True)
class Counted:
    """Which source of which project was asked on which day (days since the epoch, UTC)."""

    project_id: int
    source_id: str
    day: int


@dataclass(slots=True)
class Tally:
    """What came of it. Times are in seconds since the epoch; `failure` is the text of the latest failure."""

    hits: int = 0
    misses: int = 0
    failures: int = 0
    succeeded_at: float | None = None
    failed_at: float | None = None
    failure: str = ""

    def add(self, record: TryRecord, at: float) -> None:
        if record.outcome is Outcome.FOUND:
            self.hits += 1
        elif record.outcome in _MISSES:
            self.misses += 1
        else:
            self.failures += 1
            self.failed_at, self.failure = at, _said(record)
            return
        # Whoever says that it does not have a file works.
        self.succeeded_at = at


@dataclass(slots=True)
class _Counts:
    mutex: threading.Lock = field(default_factory=threading.Lock)
    tallies: dict[Counted, Tally] = field(default_factory=dict)
    # When the files of a module were last counted, for each source: names and unwind rules are one.
    counted: OrderedDict[tuple[int, str, str], float] = field(default_factory=OrderedDict)
    began: Callable[[], None] | None = None


_counts = _Counts()


def note(project_id: int, module: str, sources: Sequence[SourceTries]) -> None:
    """Count what came of looking for the files of one module; `module` tells it apart from others.

    Only what was really asked for just now counts. Costs some microseconds and no access to the database.
    """
    now = time.time()
    for row in sources:
        if row.source.config is None:
            continue
        decisive = _decisive(row, now)
        if decisive is not None and _count((project_id, row.source.id, module), decisive, now):
            lookups.labels(decisive.outcome.value).inc()
        elif row.tries:
            lookups.labels(_KNOWN).inc()


def taken() -> dict[Counted, Tally]:
    """What was counted since the last call."""
    with _counts.mutex:
        tallies, _counts.tallies = _counts.tallies, {}
        return tallies


def on_begin(act: Callable[[], None]) -> None:
    """Have `act` called whenever there is something to take again."""
    _counts.began = act


def _decisive(row: SourceTries, now: float) -> TryRecord | None:
    """The try that says how the source did: a file, else the first failure, else that there is none."""
    records = [candidate.record for candidate in row.tries if candidate.record is not None]
    fresh = [record for record in records if (record.fetched_at or 0.0) >= now - FRESH_SECONDS]
    found = next((record for record in fresh if record.outcome is Outcome.FOUND), None)
    failed = next((record for record in fresh if record.outcome not in _MISSES), None)
    return found or failed or next(iter(fresh), None)


def _count(key: tuple[int, str, str], record: TryRecord, now: float) -> bool:
    """False for what was counted just now."""
    with _counts.mutex:
        if now - _counts.counted.get(key, 0.0) < FRESH_SECONDS:
            return False
        _counts.counted[key] = now
        if len(_counts.counted) > _REMEMBERED:
            _counts.counted.popitem(last=False)
        begins = not _counts.tallies
        at = record.fetched_at or now
        _counts.tallies.setdefault(Counted(key[0], key[1], int(at // 86400)), Tally()).add(record, at)
    if begins and _counts.began is not None:
        _counts.began()
    return True


def _said(record: TryRecord) -> str:
    text = record.details.removeprefix("download failed: ") or record.outcome.value.replace("_", " ")
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _forget() -> None:
    """A forked child counts for itself: locks do not survive a fork."""
    global _counts
    _counts = _Counts(began=_counts.began)


os.register_at_fork(after_in_child=_forget)
