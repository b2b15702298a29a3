"""Records of files, and of why there are none."""

from __future__ import annotations

import json
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.caches import Miss, Shelf, derived_key, location_key
from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline

KEY = "ab" * 32
FAILURE = LookupFailure(FailureKind.REFUSED, "403 Forbidden")


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path, "objects", "1", idle_seconds=100.0)


def test_nothing_is_known_of_a_new_key(shelf):
    assert shelf.read(KEY) is None


def test_facts_are_read_back(shelf):
    shelf.write_facts(KEY, b'{"arch":"x86_64"}')

    assert json.loads(bytes(shelf.read(KEY))) == {"arch": "x86_64"}


def test_a_miss_is_read_back_until_it_expires(shelf):
    shelf.write_miss(KEY, Miss.of(FAILURE, 0.3))

    found = shelf.read(KEY)
    assert isinstance(found, Miss)
    assert (found.kind, found.details) == (FailureKind.REFUSED, "403 Forbidden")
    time.sleep(0.35)
    assert shelf.read(KEY) is None


def test_a_miss_from_the_future_is_not_believed(shelf):
    """The clock was set back: otherwise such a miss would last for years."""
    now = time.time()
    shelf.write_miss(KEY, Miss(FailureKind.NOT_FOUND, "", now + 1000, now + 2000))

    assert shelf.read(KEY) is None


def test_a_miss_takes_the_file_of_before_away(shelf):
    with shelf.exclusive(KEY, Deadline.after(5)) as path:
        path.write_bytes(b"old")
    shelf.write_miss(KEY, Miss.of(FAILURE, 100))

    assert not path.exists()


def test_what_was_not_used_for_long_is_forgotten(shelf):
    shelf.write_facts(KEY, b"{}")
    record = next(path for path in shelf.root.rglob("*.json"))
    os.utime(record, (time.time() - 99, time.time() - 99))
    assert shelf.read(KEY) is not None
    os.utime(record, (time.time() - 101, time.time() - 101))
    assert shelf.read(KEY) is None


def test_reading_keeps_a_record_alive_at_most_every_half_minute(tmp_path):
    shelf = Shelf(tmp_path, "objects", "1", idle_seconds=1e6)
    shelf.write_facts(KEY, b"{}")
    record = next(tmp_path.rglob("*.json"))
    recent = time.time() - 20
    os.utime(record, (recent, recent))
    shelf.read(KEY)
    assert record.stat().st_mtime == pytest.approx(recent, abs=1)
    old = time.time() - 40
    os.utime(record, (old, old))
    shelf.read(KEY)
    assert record.stat().st_mtime > time.time() - 30


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b'{"miss":{"kind":"unheard_of"}}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_record_that_cannot_be_read_counts_as_none(shelf, content):
    shelf.write_facts(KEY, b"{}")
    next(shelf.root.rglob("*.json")).write_bytes(content)

    assert shelf.read(KEY) is None


def test_nothing_but_the_named_files_is_left_behind(shelf):
    with shelf.exclusive(KEY, Deadline.after(5)) as path:
        path.write_bytes(b"content")
        shelf.write_facts(KEY, b"{}")

    assert sorted(file.name for file in shelf.root.rglob("*") if file.is_file()) == [KEY, f"{KEY}.json"]
    assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0


PARTS = {"scope": "s", "shared": False, "source_key": "k", "uri": "u", "checksum": None}


@pytest.mark.parametrize("change", [{"scope": "t"}, {"source_key": "l"}, {"uri": "v"}, {"checksum": "c"}])
def test_every_part_of_a_location_makes_another_key(change):
    assert location_key(**PARTS) != location_key(**PARTS | change)


def test_shared_files_have_one_key_in_every_scope():
    assert location_key(**PARTS | {"shared": True}) == location_key(**PARTS | {"shared": True, "scope": "t"})
    assert location_key(**PARTS | {"shared": True}) != location_key(**PARTS)


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_different_parts_never_share_a_key(one, other):
    assert (derived_key(*one) == derived_key(*other)) is (one == other)
