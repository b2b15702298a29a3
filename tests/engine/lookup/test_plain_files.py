"""Files that are kept as they came: fetched once, believed by their digest, misses remembered."""

from __future__ import annotations

import gzip
import threading

import pytest

from engine.caches import Labels, Miss
from engine.errors import FailureKind, LookupFailure
from engine.formats.bytewise import FormatError
from engine.lookup.plain_files import Errand, PlainFile, obtain_plain
from engine.outgoing import Deadline, PassingFailure

LABELS = Labels("web", "00", "p1")


class Server:
    """Gives `content`, or raises it, and counts."""

    def __init__(self, content):
        self.content, self.asked = content, 0

    def __call__(self, target):
        self.asked += 1
        if isinstance(self.content, Exception):
            raise self.content
        target.write(self.content)


def obtain(store, server, **fields):
    return obtain_plain(store.source_files, Errand("ab" * 32, LABELS, server, 1000, **fields), Deadline.after(30))


def test_a_file_is_fetched_once(store):
    server = Server(b"text")

    first = obtain(store, server)

    assert isinstance(first, PlainFile)
    assert first.path.read_bytes() == b"text"
    assert obtain(store, server) == first
    assert server.asked == 1


@pytest.mark.parametrize("damage", [b"", b"tezt", b"text and more", None])
def test_a_damaged_or_missing_file_is_fetched_again(store, damage):
    server = Server(b"text")
    path = obtain(store, server).path
    path.unlink() if damage is None else path.write_bytes(damage)

    assert obtain(store, server).path.read_bytes() == b"text"
    assert server.asked == 2


def test_a_miss_is_remembered_and_a_passing_failure_is_not(store):
    missing = Server(LookupFailure(FailureKind.NOT_FOUND))
    passing = Server(PassingFailure(FailureKind.UNREACHABLE, "not now"))

    assert obtain(store, passing).kind is FailureKind.UNREACHABLE
    assert obtain(store, missing).kind is FailureKind.NOT_FOUND
    assert isinstance(obtain(store, Server(b"too late")), Miss)
    assert (passing.asked, missing.asked) == (1, 1)


def test_too_much_is_not_taken(store):
    assert obtain(store, Server(b"x" * 1001)).kind is FailureKind.TOO_LARGE
    assert not [
        file for file in store.cache_dir.glob("sourcefiles/**/*") if file.stat().st_size > 1000 and file.is_file()
    ]


@pytest.mark.parametrize("packed", [True, False])
def test_packed_files_are_unpacked_where_wanted(store, packed):
    data = gzip.compress(b"text")

    assert obtain(store, Server(data), unpack=packed).path.read_bytes() == (b"text" if packed else data)


def test_what_is_of_no_use_is_malformed(store):
    def check(data):
        raise FormatError(f"not {bytes(data)!r}")

    found = obtain(store, Server(b"text"), check=check)

    assert (found.kind, found.details) == (FailureKind.MALFORMED, "not b'text'")


def test_threads_that_want_one_file_fetch_it_once(store):
    server, found = Server(b"text"), []
    threads = [threading.Thread(target=lambda: found.append(obtain(store, server))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert (len(set(found)), len(found), server.asked) == (1, 8, 1)
