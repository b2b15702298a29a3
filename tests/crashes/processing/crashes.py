"""Crashes for tests of processing: rows as they are after a submission, without the submission."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
from django.db import connection
from django.db.models.functions import Now
from procrastinate.contrib.django.utils import connector_params

from crashes.models import Crash
from crashes.processing.claims import Claim, claim
from crashes.processing.committing import commit
from crashes.processing.taking import take
from crashes.processing.waking import CHANNEL
from crashes.processing.working import process
from crashes.reports import Facts, Outcome
from crashes.results import Failure, Result
from projects.models import Project

_numbers = itertools.count(1)


def make_crash(project: Project, *, ago: float = 0.0, **values: Any) -> Crash:
    """A crash that waits since `ago` seconds."""
    number = next(_numbers)
    then = Now() - timedelta(seconds=ago)
    given = {"waiting_since": then, "due_at": then, **values}
    crash = Crash.objects.create(
        project=project,
        rxid=f"00000000-0000-0000-0000-{number:012x}",
        format=given.pop("format", "json"),
        door="backtrace",
        blob_key=given.pop("blob_key", f"crashes/none/{number}"),
        size=2,
        sha256="0" * 64,
        stored_bytes=2,
        **given,
    )
    crash.refresh_from_db()
    return crash


def now_of(crash: Crash) -> Crash:
    """As it is in the database."""
    return Crash.objects.get(pk=crash.pk)


def expire(crash: Crash, seconds: float = 1.0) -> None:
    """Have its lease run out so many seconds ago."""
    Crash.objects.filter(pk=crash.pk).update(lease_until=Now() - timedelta(seconds=seconds))


def make_due(crash: Crash) -> None:
    Crash.objects.filter(pk=crash.pk).update(due_at=Now())


def seconds_until_due(crash: Crash) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM due_at - statement_timestamp()) FROM crashes_crash WHERE id = %s", [crash.pk]
        )
        return float(cursor.fetchone()[0])


class Words:
    """How often workers were woken since the last time that somebody asked."""

    def __init__(self, listening: psycopg.Connection[Any]) -> None:
        self._listening = listening

    def heard(self) -> int:
        # What was said before is heard before.
        self._listening.execute("SELECT pg_notify(%s, 'end')", [CHANNEL])
        count = 0
        for said in self._listening.notifies():
            if said.payload == "end":
                break
            count += 1
        return count


@contextmanager
def listening() -> Iterator[Words]:
    """Hear what is said to workers; for tests that commit."""
    with psycopg.connect(**connector_params(), autocommit=True) as own:
        own.execute(f"LISTEN {CHANNEL}".encode())
        yield Words(own)


RESULT = Result(platform="javascript", failures=[Failure(type="TypeError", value="x is undefined")])
FACTS = Facts(platform="javascript", version="1.2", os_name="Linux", arch="amd64", frame_count=7, unnamed_count=2)
Examine = Callable[[Callable[[], object]], None]


def raising(error: Exception) -> Callable[[], object]:
    def happens() -> object:
        raise error

    return happens


def claimed(crash: Crash) -> Claim:
    """The claim on this crash, whose turn it must be."""
    found = claim()
    assert found is not None
    assert found.crash_id == crash.pk
    return found


def work(crash: Crash) -> Crash:
    """Process this crash, whose turn it must be."""
    process(claimed(crash))
    return now_of(crash)


def finish(claimed: Claim) -> str:
    """End a crash's turn as a worker does that found nothing in it; its state then."""
    taken = take(claimed)
    assert taken is not None
    facts = Facts(platform="native", version="", os_name="", arch="", frame_count=0, unnamed_count=0)
    assert commit(claimed, *taken, Outcome(Result(), facts, ()))
    return Crash.objects.get(pk=claimed.crash_id).state
