"""What a process that works on crashes does while there are none, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from crashes.models import Crash
from crashes.processing import loop, queueing
from crashes.processing.claims import claim
from crashes.processing.listening import Listener, Stop
from crashes.processing.loop import seconds_until_next
from crashes.processing.waking import wake
from projects.models import Project
from tests.crashes.processing.crashes import Examine, make_crash, now_of
from tests.service import eventually


@contextmanager
def running() -> Iterator[threading.Thread]:
    """The loop in a thread."""
    stop = Stop()

    def run() -> None:
        try:
            loop.run(stop)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        stop.ask()
        thread.join(20)
        assert not thread.is_alive()


def is_done(crash: Crash) -> bool:
    return now_of(crash).state == Crash.State.DONE


def listeners() -> int:
    """Connections that have asked to hear and said nothing since."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND starts_with(application_name, 'symbolsvc jobs crashes') AND query LIKE 'LISTEN%%'"
        )
        (count,) = cursor.fetchone()
    return int(count)


@pytest.mark.django_db(transaction=True)
def test_all_that_waits_is_processed_and_what_comes_later_too(acme_project: Project, examining: Examine) -> None:
    crashes = [make_crash(acme_project) for _ in range(3)]
    with running():
        eventually(lambda: all(map(is_done, crashes)))
        eventually(listeners)
        later = make_crash(acme_project, state=Crash.State.DONE)
        queueing.queue([later.pk], priority=1, rerun=None)
        eventually(lambda: now_of(later).processed_at is not None)


@pytest.mark.django_db(transaction=True)
def test_a_listener_whose_connection_was_ended_listens_anew(acme_project: Project, examining: Examine) -> None:
    with running():
        eventually(listeners)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND starts_with(application_name, 'symbolsvc jobs crashes')"
            )
        crash = make_crash(acme_project)
        eventually(lambda: is_done(crash))
        eventually(listeners)


@pytest.mark.django_db(transaction=True)
def test_a_failure_ends_nothing(acme_project: Project, examining: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = threading.Event()

    def fails() -> bool:
        monkeypatch.setattr(loop, "work", work)
        failed.set()
        raise RuntimeError("once")

    work = loop.work
    monkeypatch.setattr(loop, "work", fails)
    crash = make_crash(acme_project)
    with running():
        eventually(lambda: is_done(crash))
    assert failed.is_set()


@pytest.mark.django_db(transaction=True)
def test_a_word_that_came_before_the_wait_ends_it(acme_project: Project) -> None:
    stop = Stop()
    with Listener() as listener:
        listener.listen()
        wake()
        listener.wait(60, stop)
        threading.Timer(0.1, stop.ask).start()
        listener.wait(60, stop)
    assert stop.asked


@pytest.mark.django_db
def test_the_next_moment_is_when_a_crash_is_due_or_a_lease_ends(acme_project: Project) -> None:
    assert seconds_until_next() == loop._LOOK_SECONDS
    make_crash(acme_project, ago=-3)
    make_crash(acme_project, ago=-600)
    assert seconds_until_next() == pytest.approx(3, abs=0.9)

    running = make_crash(acme_project)
    assert seconds_until_next() == 0
    assert claim() is not None
    Crash.objects.filter(pk=running.pk).update(lease_until=Now() + timedelta(seconds=2))
    assert seconds_until_next() == pytest.approx(2, abs=0.9)
    Crash.objects.filter(pk=running.pk).update(lease_until=Now() - timedelta(seconds=2))
    assert seconds_until_next() == 0
