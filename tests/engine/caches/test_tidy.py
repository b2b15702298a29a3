"""Keeping a cache within its limits."""

from __future__ import annotations

import os
import time

from engine.caches import tidy


def put(path, size, age):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (time.time() - age, time.time() - age))


def names(root):
    return {path.name for path in root.rglob("*") if path.is_file()}


def test_old_files_go_and_recent_ones_stay(tmp_path):
    put(tmp_path / "objects/1/aa/old", 10, 1000)
    put(tmp_path / "objects/1/aa/new", 10, 10)

    done = tidy(tmp_path, max_age_seconds=500, max_bytes=10**9)

    assert names(tmp_path) == {"new"}
    assert (done.removed_files, done.removed_bytes, done.kept_files, done.kept_bytes) == (1, 10, 1, 10)


def test_the_least_recently_used_go_first_until_the_rest_fits(tmp_path):
    for age in (50, 40, 30, 20, 10):
        put(tmp_path / f"symcaches/1/bb/{age}", 100, age)

    tidy(tmp_path, max_age_seconds=10**6, max_bytes=250)

    assert names(tmp_path) == {"20", "10"}


def test_what_is_being_written_and_locked_is_left_alone(tmp_path):
    put(tmp_path / "objects/1/aa/.tmp-1-abc", 10, 100)
    put(tmp_path / "objects/1/aa/.tmp-1-left", 10, 4000)
    put(tmp_path / "objects/1/aa/x.lock", 0, 10**6)

    tidy(tmp_path, max_age_seconds=50, max_bytes=10**9)

    assert names(tmp_path) == {".tmp-1-abc", "x.lock"}


def test_a_cache_that_does_not_exist_is_tidy(tmp_path):
    assert tidy(tmp_path / "none", max_age_seconds=1, max_bytes=1).kept_files == 0
