"""Writing down what was counted, some seconds later, in a thread that waits for nothing else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.db import connection, connections, transaction
from django.utils import timezone

from core.text import storable
from sources.models import FAILURE_LENGTH, SourceDay
from sources.statistics.counting import Counted, Tally, on_begin, taken

FLUSH_SECONDS: Final = 10.0
KEPT_DAYS: Final = 30
_EPOCH: Final = date(1970, 1, 1)

log = logging.getLogger(__name__)

# A project that is gone by now has no row, and nothing is counted for it.
_ADD: Final = """
    INSERT INTO sources_sourceday
        (project_id, source_id, day, hits, misses, failures, succeeded_at, failed_at, failure)
    SELECT id, %s, %s, %s, %s, %s, %s::timestamptz, %s::timestamptz, %s FROM projects_project WHERE id = %s
    ON CONFLICT (project_id, source_id, day) DO UPDATE SET
        hits = sources_sourceday.hits + excluded.hits,
        misses = sources_sourceday.misses + excluded.misses,
        failures = sources_sourceday.failures + excluded.failures,
        succeeded_at = greatest(sources_sourceday.succeeded_at, excluded.succeeded_at),
        failed_at = greatest(sources_sourceday.failed_at, excluded.failed_at),
        failure = CASE
            WHEN excluded.failed_at >= coalesce(sources_sourceday.failed_at, '-infinity') THEN excluded.failure
            ELSE sources_sourceday.failure END
"""


def flush() -> int:
    """Write down what was counted; how many rows that were. What cannot be written is lost, and logged."""
    tallies = taken()
    if not tallies:
        return 0
    try:
        _write(tallies)
    except Exception as error:  # noqa: BLE001 - numbers for people must not disturb anything else
        log.warning("what came of lookups could not be written down: %s", error)
        return 0
    return len(tallies)


def _write(tallies: Mapping[Counted, Tally]) -> None:
    # In one order everywhere, so that two processes wait for each other and never both.
    ordered = sorted(tallies.items(), key=lambda pair: (pair[0].project_id, pair[0].source_id, pair[0].day))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.executemany(_ADD, [_row(counted, tally) for counted, tally in ordered])
        projects = {counted.project_id for counted in tallies}
        oldest = timezone.now().date() - timedelta(days=KEPT_DAYS)
        SourceDay.objects.filter(project_id__in=projects, day__lt=oldest).delete()


def _row(counted: Counted, tally: Tally) -> tuple[Any, ...]:
    return (
        counted.source_id,
        _EPOCH + timedelta(days=counted.day),
        tally.hits,
        tally.misses,
        tally.failures,
        _moment(tally.succeeded_at),
        _moment(tally.failed_at),
        storable(tally.failure)[:FAILURE_LENGTH],
        counted.project_id,
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _later() -> None:
    timer = threading.Timer(FLUSH_SECONDS, _flush_in_thread)
    timer.name, timer.daemon = "source-statistics", True
    timer.start()


def _flush_in_thread() -> None:
    try:
        flush()
    finally:
        connections.close_all()


on_begin(_later)
