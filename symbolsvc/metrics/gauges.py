"""Figures that are read when they are asked for: from the database, and from files of this host."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.db.models import Sum
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core.metrics import declared
from core.metrics.declared import Declared
from sources.models import SourceDay
from symbolsvc.operations import place, work
from symbolsvc.operations.left_alone import left_alone

Values = Mapping[tuple[str, ...], float]
_NO_LABELS: Final = ()


class Gauges(Collector):
    """Collects them all. Raises what the database raises."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each figure with its values."""
        for figure, values in (*_crashes(), *_jobs(), _workers(), _lookups(), *_cache(), *_installation()):
            family = GaugeMetricFamily(figure.name, figure.help, labels=figure.labels)
            for labels, value in values.items():
                family.add_metric(labels, value)
            yield family


def _crashes() -> Iterator[tuple[Declared, Values]]:
    crashes = work.crashes()
    yield (
        declared.CRASHES,
        {("pending",): crashes.waiting, ("running",): crashes.running, ("set_aside",): crashes.set_aside},
    )
    yield declared.CRASH_AGE, {_NO_LABELS: crashes.age or 0.0}


def _jobs() -> Iterator[tuple[Declared, Values]]:
    queues = work.queues()
    counts: dict[tuple[str, ...], float] = {}
    for queue in queues:
        counts[queue.name, "waiting"] = queue.waiting
        counts[queue.name, "running"] = queue.running
        counts[queue.name, "failed"] = queue.failed
    yield declared.JOBS, counts
    yield declared.JOB_AGE, {(queue.name,): queue.age or 0.0 for queue in queues}


def _workers() -> tuple[Declared, Values]:
    silent = [worker.is_silent for worker in work.workers()]
    return declared.WORKERS, {("alive",): silent.count(False), ("silent",): silent.count(True)}


def _lookups() -> tuple[Declared, Values]:
    names = ("hits", "misses", "failures")
    today = SourceDay.objects.filter(day=datetime.now(UTC).date())
    sums = today.aggregate(**{f"all_{name}": Sum(name) for name in names})
    return declared.ANSWERS, {(name,): sums[f"all_{name}"] or 0 for name in names}


def _cache() -> Iterator[tuple[Declared, Values]]:
    found = place.cache().found
    yield declared.CACHE_BYTES, {} if found is None else {_NO_LABELS: found.bytes}
    yield declared.CACHE_LIMIT, {} if found is None else {_NO_LABELS: found.most_bytes}
    yield declared.CACHE_FILES, {} if found is None else {_NO_LABELS: found.files}
    yield declared.LEFT_ALONE, {_NO_LABELS: len(left_alone())}


def _installation() -> Iterator[tuple[Declared, Values]]:
    database = place.database()
    yield declared.DATABASE_BYTES, {_NO_LABELS: database.bytes}
    own = str(settings.SPECTACULAR_SETTINGS["VERSION"])
    yield declared.BUILD, {(own, platform.python_version(), database.version): 1}
