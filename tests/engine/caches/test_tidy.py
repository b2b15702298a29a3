"""Keeping a cache within its limits."""

from __future__ import annotations

import os
import time
from pathlib import Path

from engine.caches import Limits, default_limit, tidy

DAY = 86_400
KIB = 1024
UNLIMITED = Limits(max_bytes=10**12, downloaded_seconds=DAY, derived_seconds=7 * DAY)


def put(path, size=10, age=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (time.time() - age, time.time() - age))


def names(root):
    return {path.name for path in root.rglob("*") if path.is_file()}


def on_disk(root):
    return sum(path.stat().st_blocks * 512 for path in root.rglob("*") if path.is_file())


def of_size(max_bytes):
    return Limits(max_bytes, DAY, 7 * DAY)


def test_files_that_nobody_used_for_long_go_by_what_they_are(tmp_path):
    put(tmp_path / "objects/1/aa/fetched-2-days-ago", age=2 * DAY)
    put(tmp_path / "objects/1/aa/fetched-2-days-ago.json", age=2 * DAY)
    put(tmp_path / "objects/1/aa/fetched-now")
    put(tmp_path / "objects/1/aa/old.json", age=8 * DAY)
    put(tmp_path / "symcaches/1-x/bb/made-2-days-ago", age=2 * DAY)
    put(tmp_path / "symcaches/1-x/bb/made-8-days-ago", age=8 * DAY)
    put(tmp_path / "symcaches/0-older/bb/of-another-version", age=8 * DAY)

    done = tidy(tmp_path, UNLIMITED)

    assert names(tmp_path) == {"fetched-2-days-ago.json", "fetched-now", "made-2-days-ago"}
    assert (done.removed_files, done.kept_files) == (4, 3)


def test_above_the_limit_the_least_recently_used_go_until_there_is_room(tmp_path):
    for age in range(1, 21):
        put(tmp_path / f"symcaches/1/bb/{age:02}", 8 * KIB, age)

    done = tidy(tmp_path, of_size(100 * KIB))

    assert names(tmp_path) == {f"{age:02}" for age in range(1, 11)}
    assert done.kept_bytes == on_disk(tmp_path) == 80 * KIB


def test_a_file_is_as_young_as_its_record(tmp_path):
    for name, age in (("used", DAY * 30), ("unused", DAY * 30), ("between", 60)):
        put(tmp_path / f"symcaches/1/bb/{name}", 8 * KIB, age)
    put(tmp_path / "symcaches/1/bb/used.json", 10, 5)
    put(tmp_path / "symcaches/1/bb/unused.json", 10, DAY * 30)
    tidy(tmp_path, UNLIMITED)
    assert names(tmp_path) == {"used", "used.json", "between"}
    tidy(tmp_path, of_size(16 * KIB))
    assert names(tmp_path) == {"used", "used.json"}


def test_at_nine_tenths_nothing_goes(tmp_path):
    for age in range(11):
        put(tmp_path / f"symcaches/1/bb/{age:02}", 8 * KIB, age)

    assert tidy(tmp_path, of_size(100 * KIB)).removed_files == 0


def test_many_small_files_count_as_what_they_take_on_the_disk(tmp_path):
    for number in range(100):
        put(tmp_path / f"objects/1/bb/{number}.json", 10, number)

    tidy(tmp_path, of_size(100 * KIB))

    assert on_disk(tmp_path) <= 90 * KIB


def test_what_is_being_written_stays_whatever_it_takes(tmp_path):
    put(tmp_path / "objects/1/aa/.tmp-1-abc", 200 * KIB, 100)
    put(tmp_path / "objects/1/aa/.tmp-1-left-by-a-kill", 10, 4000)
    put(tmp_path / "objects/1/aa/x.lock", 0, 1000)
    put(tmp_path / "objects/1/aa/y.lock", 0, 2 * DAY)
    put(tmp_path / "objects/1/aa/whole", 8 * KIB)

    tidy(tmp_path, of_size(100 * KIB))

    assert names(tmp_path) == {".tmp-1-abc", "x.lock"}


def test_only_what_shelves_put_there_is_touched(tmp_path):
    ours = {"inflight.slots", "purges.json", "note", "deep"}
    put(tmp_path / "inflight.slots", age=30 * DAY)
    put(tmp_path / "purges.json", age=30 * DAY)
    put(tmp_path / "objects/1/note", age=30 * DAY)
    put(tmp_path / "objects/1/aa/further/deep", age=30 * DAY)
    put(tmp_path / "objects/1/aa/entry", age=30 * DAY)

    tidy(tmp_path, of_size(1))

    assert names(tmp_path) == ours


def test_links_out_of_the_cache_lead_nowhere(tmp_path):
    put(tmp_path / "elsewhere/1/aa/file", age=30 * DAY)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/objects").symlink_to(tmp_path / "elsewhere")

    tidy(tmp_path / "cache", of_size(1))

    assert names(tmp_path / "elsewhere") == {"file"}


def test_a_cache_that_does_not_exist_is_tidy(tmp_path):
    assert tidy(tmp_path / "none", UNLIMITED).kept_files == 0


def test_the_limit_is_a_fifth_of_the_disk_and_not_more_than_50_gib(tmp_path):
    status = os.statvfs(tmp_path)

    limit = default_limit(tmp_path / "not/yet/there")

    assert limit == min(50 * 1024**3, status.f_frsize * status.f_blocks // 5)
    assert default_limit(Path("/proc")) == 0
