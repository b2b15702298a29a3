"""A symbolication from its slot to its answer: waiting, being told to come back, and every order of the two."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from engine.errors import DeadlineExceeded
from engine.outgoing import Deadline
from symbolication import jobs, pending
from symbolication.jobs import INTERNAL_ERROR_ANSWER, TIMEOUT_ANSWER, Job, Jobs, Ticket, compute
from symbolication.leases import LeaseKeeper
from symbolication.models import PendingRequest
from symbolication.pending import Seen, State
from symbolication.polls import WAITING_AT_MOST, await_answer
from symbolication.slots import Slots

ANSWER = b'{"status":"completed","stacktraces":[],"modules":[]}'

pytestmark = pytest.mark.django_db(transaction=True)


class Gated:
    """Work that goes on until it is let go."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, _deadline: Deadline) -> bytes:
        self.begun.set()
        assert self.go.wait(30)
        return ANSWER


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    return Slots(tmp_path / "slots", 5)


@pytest.fixture
def threads() -> Iterator[Jobs]:
    pool = Jobs(8)
    yield pool
    pool._threads.shutdown()


def ticket(slots: Slots) -> Ticket:
    return Ticket(slots, slots.take())


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


def test_an_answer_within_the_timeout_leaves_no_row(slots: Slots, threads: Jobs) -> None:
    job = threads.start(ticket(slots), None, lambda _deadline: ANSWER)

    assert job.wait(10) == ANSWER
    assert not PendingRequest.objects.exists()
    assert eventually(lambda: slots.held == 0)


def test_a_timeout_of_nothing_looks_once(slots: Slots, threads: Jobs) -> None:
    work = Gated()
    job = threads.start(ticket(slots), None, work)

    began = time.monotonic()
    assert job.wait(0) is None
    assert time.monotonic() - began < 1
    work.go.set()


def test_a_published_job_stores_its_answer_and_frees_its_slot_only_at_the_end(slots: Slots, threads: Jobs) -> None:
    work = Gated()
    job = threads.start(ticket(slots), None, work)

    assert job.publish() is None
    assert pending.read(job.id, None) == Seen(State.RUNNING)
    assert slots.held == 1

    work.go.set()
    assert await_answer(job.id, None, 10) == Seen(State.FINISHED, ANSWER)
    assert eventually(lambda: slots.held == 0)


def test_an_answer_that_comes_just_before_it_is_published_is_returned_and_not_stored(slots: Slots) -> None:
    job = Job(ticket(slots), None, lambda _deadline: ANSWER, LeaseKeeper())
    assert not job._ended.is_set()
    job.run()

    assert job.publish() == ANSWER
    assert not PendingRequest.objects.exists()


def test_an_answer_that_comes_while_the_row_is_being_written_is_not_lost(
    slots: Slots, threads: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, announce = Gated(), pending.announce
    job = threads.start(ticket(slots), None, work)

    def announce_late(*values: object) -> None:
        work.go.set()
        assert eventually(lambda: PendingRequest.objects.filter(finished_at__isnull=False).exists())
        announce(*values)  # type: ignore[arg-type]

    monkeypatch.setattr(pending, "announce", announce_late)
    assert job.publish() is None

    assert pending.read(job.id, None) == Seen(State.FINISHED, ANSWER)


def test_publishing_and_ending_at_the_same_moment_never_loses_an_answer(slots: Slots, threads: Jobs) -> None:
    def short(_deadline: Deadline) -> bytes:
        time.sleep(0.002)
        return ANSWER

    told = {"at once": 0, "later": 0}
    for number in range(60):
        taken = slots.take()
        assert taken is not None
        job = threads.start(Ticket(slots, taken), None, short)
        time.sleep(0.0015 + number % 10 / 10_000)
        if job.publish() is None:
            told["later"] += 1
            assert await_answer(job.id, None, 10) == Seen(State.FINISHED, ANSWER)
        else:
            told["at once"] += 1
        assert eventually(lambda: slots.held == 0)

    assert sum(told.values()) == 60


def test_a_failure_answers_internal_error_and_is_logged_with_the_id(
    slots: Slots, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_deadline: Deadline) -> bytes:
        raise ZeroDivisionError

    taken = ticket(slots)
    with caplog.at_level(logging.ERROR):
        assert compute(taken, broken) == INTERNAL_ERROR_ANSWER

    assert str(taken.id) in caplog.text
    assert slots.held == 0


def test_the_hard_limit_answers_timeout(slots: Slots) -> None:
    def slow(deadline: Deadline) -> bytes:
        assert 800 < deadline.remaining() <= jobs.HARD_LIMIT_SECONDS
        raise DeadlineExceeded("over")

    assert compute(ticket(slots), slow) == TIMEOUT_ANSWER
    assert slots.held == 0


def test_the_lease_is_renewed_as_long_as_the_work_goes_on(slots: Slots) -> None:
    work, keeper = Gated(), LeaseKeeper(every=0.05)
    job = Job(ticket(slots), None, work, keeper)
    thread = threading.Thread(target=job.run)
    thread.start()
    job.publish()
    first = PendingRequest.objects.get(id=job.id).lease_until

    assert eventually(lambda: PendingRequest.objects.get(id=job.id).lease_until > first)

    work.go.set()
    thread.join()
    assert eventually(lambda: keeper._thread is None)


def test_the_thread_of_the_leases_comes_back_for_the_next_request(slots: Slots) -> None:
    keeper = LeaseKeeper(every=0.05)
    for _ in range(3):
        work = Gated()
        job = Job(ticket(slots), None, work, keeper)
        thread = threading.Thread(target=job.run)
        thread.start()
        job.publish()
        assert keeper._thread is not None
        work.go.set()
        thread.join()
        assert eventually(lambda: keeper._thread is None)


def test_an_answer_is_stored_though_the_database_was_away_for_a_moment(
    slots: Slots, threads: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    work, finish, failures = Gated(), pending.finish, [OperationalError("gone"), OperationalError("gone")]

    def finish_after_failures(*values: object) -> None:
        if failures:
            raise failures.pop()
        finish(*values)  # type: ignore[arg-type]

    monkeypatch.setattr(pending, "finish", finish_after_failures)
    job = threads.start(ticket(slots), None, work)
    job.publish()
    work.go.set()

    assert await_answer(job.id, None, 15) == Seen(State.FINISHED, ANSWER)


def test_waiting_for_an_answer_holds_no_connection(slots: Slots, threads: Jobs) -> None:
    work = Gated()
    job = threads.start(ticket(slots), None, work)
    job.publish()
    seen: list[Seen] = []
    waiters = [threading.Thread(target=lambda: seen.append(await_answer(job.id, None, 20))) for _ in range(20)]
    for waiter in waiters:
        waiter.start()
    time.sleep(0.5)

    # The pool of this process is smaller than the number of those who wait.
    assert len(waiters) > connection.settings_dict["OPTIONS"]["pool"]["max_size"]
    work.go.set()
    for waiter in waiters:
        waiter.join()
    assert seen == [Seen(State.FINISHED, ANSWER)] * 20


def test_too_many_who_wait_are_answered_at_once(slots: Slots, threads: Jobs) -> None:
    work = Gated()
    job = threads.start(ticket(slots), None, work)
    job.publish()
    waiters = [threading.Thread(target=await_answer, args=(job.id, None, 20)) for _ in range(WAITING_AT_MOST)]
    for waiter in waiters:
        waiter.start()
    time.sleep(0.5)

    began = time.monotonic()
    assert await_answer(job.id, None, 20) == Seen(State.RUNNING)
    assert time.monotonic() - began < 5

    work.go.set()
    for waiter in waiters:
        waiter.join()


def test_a_question_with_a_timeout_ends_with_it(slots: Slots, threads: Jobs) -> None:
    work = Gated()
    job = threads.start(ticket(slots), None, work)
    job.publish()

    began = time.monotonic()
    assert await_answer(job.id, None, 0.3) == Seen(State.RUNNING)
    assert 0.25 < time.monotonic() - began < 5
    work.go.set()
