"""Counting who sends how fast."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

import pytest

from crashes.limits.meter import PERIOD, Meter

NOW = 1_000_000.0


@pytest.fixture
def meter(tmp_path: Path) -> Meter:
    return Meter(tmp_path / "rates")


def taken(meter: Meter, key: str, per_minute: int, now: float, tries: int) -> int:
    return sum(meter.take(key, per_minute, now) == 0 for _ in range(tries))


def test_a_minutes_worth_may_come_at_once_and_then_one_for_each_share(meter):
    assert taken(meter, "a", 10, NOW, 20) == 10
    assert meter.take("a", 10, NOW) == pytest.approx(6.0)
    assert taken(meter, "a", 10, NOW + 5.9, 5) == 0
    assert taken(meter, "a", 10, NOW + 6.0, 5) == 1
    assert taken(meter, "a", 10, NOW + 6.0 + PERIOD, 20) == 10


def test_a_refused_request_is_not_counted(meter):
    taken(meter, "a", 2, NOW, 1000)
    assert meter.take("a", 2, NOW + 30) == 0


def test_senders_are_counted_apart(meter):
    assert taken(meter, "a", 3, NOW, 5) == 3
    assert taken(meter, "b", 3, NOW, 5) == 3


def test_a_changed_limit_holds_at_once(meter):
    assert taken(meter, "a", 60, NOW, 60) == 60
    assert meter.take("a", 6000, NOW) > 0
    assert taken(meter, "a", 6000, NOW + 1, 1000) == 100


def test_what_the_file_says_of_times_before_a_reboot_is_not_believed(meter):
    taken(meter, "a", 5, NOW, 5)
    assert taken(meter, "a", 5, 12.0, 9) == 5


def test_where_places_are_short_the_one_that_was_idle_longest_is_given_away(tmp_path):
    meter = Meter(tmp_path / "rates", groups=1)
    busy = ["a", "b", "c", "d", "e", "f", "g"]
    for key in busy:
        assert taken(meter, key, 2, NOW, 3) == 2
    meter.take("idle", 2, NOW - 50)
    meter.take("newcomer", 2, NOW)
    assert [meter.take(key, 2, NOW) > 0 for key in busy] == [True] * 7


def test_places_from_before_a_reboot_are_given_away_first(tmp_path):
    meter = Meter(tmp_path / "rates", groups=1)
    for number in range(7):
        meter.take(f"old {number}", 2, NOW)
    assert taken(meter, "new", 2, 5.0, 3) == 2
    meter.take("another", 2, 5.0)
    assert meter.take("new", 2, 5.0) > 0


def test_threads_together_get_no_more_than_one_would(meter):
    counts = []

    def send():
        counts.append(taken(meter, "a", 500, NOW, 200))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 500


def _send(path: str, results) -> None:
    results.put(taken(Meter(Path(path)), "a", 500, NOW, 400))


def test_processes_together_get_no_more_than_one_would(tmp_path):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=_send, args=(str(tmp_path / "rates"), results)) for _ in range(3)]
    for process in processes:
        process.start()
    assert sum(results.get(timeout=30) for _ in processes) == 500
    for process in processes:
        process.join()


def test_a_file_of_another_size_is_made_anew(tmp_path):
    (tmp_path / "rates").write_bytes(b"x")
    assert Meter(tmp_path / "rates").take("a", 1, NOW) == 0
