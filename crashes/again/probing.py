"""Asking a project's sources again for files that its crashes lack, one file at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from core.database import release
from crashes.again.asking import Probed, ask
from crashes.again.choosing import Plan, lacks_of
from crashes.again.reruns import begin
from crashes.models import Crash, LackedFile

log = logging.getLogger(__name__)

ROUND_SECONDS: Final = 45.0
PROBE_SECONDS: Final = 20.0
MOST_A_ROUND: Final = 500
MOST_OF_A_PROJECT: Final = 100
FIRST_PAUSE: Final = timedelta(minutes=5)
LONGEST_PAUSE: Final = timedelta(days=1)
# Nobody asks any more for a file that no crash has missed for so long.
GIVEN_UP_AFTER: Final = timedelta(weeks=3)
# After a kill in between the files are due again then.
_CLAIMED_FOR: Final = timedelta(minutes=10)

_CLAIM: Final = """
UPDATE crashes_lackedfile SET next_probe_at = %(until)s
WHERE id IN (
    SELECT id FROM crashes_lackedfile WHERE id IN (
        SELECT id FROM (
            SELECT id, next_probe_at, row_number() OVER (PARTITION BY project_id ORDER BY next_probe_at, id) AS turn
            FROM (
                SELECT id, project_id, next_probe_at FROM crashes_lackedfile
                WHERE next_probe_at <= %(now)s ORDER BY next_probe_at LIMIT %(reach)s
            ) AS due
        ) AS ranked WHERE turn <= %(each)s ORDER BY turn, next_probe_at LIMIT %(most)s
    ) AND next_probe_at <= %(now)s
    ORDER BY id FOR UPDATE SKIP LOCKED
)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Round:
    """What a round did."""

    probed: int = 0
    found: int = 0


def probe_due() -> Round:
    """Ask for the files that are due: some of each project, for less than a minute. What is not asked stays due."""
    end = time.monotonic() + ROUND_SECONDS
    probed = found = 0
    claimed = _claim()
    for at, file in enumerate(_files(claimed)):
        if time.monotonic() > end:
            _unclaim(claimed[at:])
            break
        found += _probe(file)
        probed += 1
    return Round(probed, found)


def pause_after(probes: int) -> timedelta:
    """Until a source is asked again after so many probes in vain: 5 minutes, 10, 20 … a day at most."""
    return min(FIRST_PAUSE * (1 << min(probes, 12)), LONGEST_PAUSE)


def _claim() -> list[int]:
    """Files that are due, and nobody else's for some minutes; one of each project before the second of any."""
    now = timezone.now()
    parameters: dict[str, datetime | int] = {
        "now": now,
        "until": now + _CLAIMED_FOR,
        "each": MOST_OF_A_PROJECT,
        "most": MOST_A_ROUND,
        "reach": MOST_A_ROUND * 20,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, parameters)
        return sorted(row[0] for row in cursor.fetchall())


def _unclaim(ids: list[int]) -> None:
    LackedFile.objects.filter(pk__in=ids, next_probe_at__gt=timezone.now()).update(next_probe_at=timezone.now())


def _files(ids: list[int]) -> Iterator[LackedFile | None]:
    for pk in ids:
        yield LackedFile.objects.select_related("project__organization").filter(pk=pk).first()


def _probe(file: LackedFile | None) -> bool:
    if file is None:
        return False
    newest = Crash.objects.filter(lacks__file=file).order_by("-lacks__crash").values_list("received_at", flat=True)
    last_missed = newest.first()
    if last_missed is None:
        return _plan_next(file, None)
    answer = _ask(file)
    due = timezone.now() + pause_after(file.probes)
    if answer.next_try_at is not None:
        due = max(due, answer.next_try_at)
    if answer.found:
        return _found(file, answer, due)
    given_up = last_missed < timezone.now() - GIVEN_UP_AFTER
    return _plan_next(file, None if answer.nobody or given_up else due, answer)


def _ask(file: LackedFile) -> Probed:
    try:
        return ask(file, PROBE_SECONDS)
    except Exception:
        # Whatever it is must not keep the others from being asked.
        log.exception("a source could not be asked for a file that crashes lack")
        return Probed()
    finally:
        release()


@transaction.atomic
def _found(file: LackedFile, answer: Probed, due: datetime) -> bool:
    """Another host may not see it yet: where crashes still lack it afterwards, it is asked for again."""
    plan = Plan(files=(file.pk,), cause=f"found:{file.pk}:{file.probes}")
    _plan_next(file, due, answer)
    if lacks_of(plan).filter(crash__state=Crash.State.DONE).exists():
        begin(file.project_id, plan, f"{_short(file)} was found on “{answer.source}”")
    return True


def _plan_next(file: LackedFile, due: datetime | None, answer: Probed | None = None) -> bool:
    changes: dict[str, object] = {"next_probe_at": due, "probes": file.probes + 1}
    if answer is not None and answer.cause and not answer.found:
        changes |= {"cause": answer.cause, "remedy": answer.remedy}
    LackedFile.objects.filter(pk=file.pk).update(**changes)
    return False


def _short(file: LackedFile) -> str:
    return file.name.replace("\\", "/").rpartition("/")[2] or "a file"
