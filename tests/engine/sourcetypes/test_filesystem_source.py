"""Directories of the host: what lies in them, and nothing else."""

from __future__ import annotations

import io
import os

import pytest

from engine.errors import DeadlineExceeded, FailureKind, LookupFailure
from engine.outgoing import Deadline
from engine.sourcetypes.base import FileType, Location
from tests.engine.sourcetypes.asking import LIBRARY, PATH, failure_of, fetch, opened, refused

OUTSIDE = refused("the file lies outside of the directory")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root" / "ab").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"secret")
    return tmp_path / "root"


@pytest.fixture
def source(root):
    return opened(type="filesystem", path=f"{root}/", owner="builtin")


def read(source, path):
    target = io.BytesIO()
    source.fetch(Location(path, ""), LIBRARY, target, Deadline.after(5))
    return target.getvalue()


def refusal(source, path):
    with pytest.raises(LookupFailure) as caught:
        read(source, path)
    return caught.value.kind, caught.value.details


def test_a_file_is_read_and_shown_with_its_path(root, source):
    (root / PATH).write_bytes(b"content")

    assert fetch(source) == b"content"
    assert source.locate(LIBRARY, [FileType.ELF_CODE])[0][1].uri == f"file://{root}/{PATH}"


def test_a_missing_file_is_not_found(source):
    assert failure_of(source) == (FailureKind.NOT_FOUND, "")


@pytest.mark.parametrize("path", ["../secret", "ab/../../secret", "ab/..", "..", "", "/", "./ab", "ab/\0x"])
def test_paths_that_climb_are_refused(source, path):
    assert refusal(source, path) == OUTSIDE


def test_an_absolute_path_stays_below_the_root(root, source):
    (root / "etc").mkdir()
    (root / "etc" / "passwd").write_bytes(b"ours")

    assert read(source, "/etc/passwd") == b"ours"


@pytest.mark.parametrize("target", ["../secret", "../../secret", "/etc/passwd"])
def test_links_that_lead_out_are_refused(root, source, target):
    (root / "ab" / "cdef").symlink_to(target if target.startswith("/") else f"../{target}")

    assert failure_of(source)[0] in (FailureKind.REFUSED, FailureKind.NOT_FOUND)
    (root / "out").symlink_to(root.parent)
    assert refusal(source, "out/secret") == OUTSIDE


def test_links_within_the_directory_are_followed(root, source):
    (root / "files").mkdir()
    (root / "files" / "real").write_bytes(b"linked")
    (root / PATH).symlink_to("../files/real")
    (root / "also").symlink_to(root / "files")

    assert fetch(source) == b"linked"
    assert read(source, "also/real") == b"linked"


def test_a_root_that_is_a_link_itself_will_do(root, tmp_path):
    (root / PATH).write_bytes(b"content")
    (tmp_path / "link").symlink_to(root)

    assert fetch(opened(type="filesystem", path=str(tmp_path / "link"))) == b"content"


def test_a_directory_put_in_place_of_a_link_while_looking_leads_nowhere(root, source, monkeypatch):
    """Between looking where a path leads and opening it, somebody exchanges a directory for a link."""
    (root / PATH).write_bytes(b"content")
    real = os.path.realpath

    def exchange(path, **options):
        found = real(path, **options)
        if str(path).endswith(PATH):
            (root / "ab").rename(root / "away")
            (root / "ab").symlink_to(root.parent)
            (root.parent / "cdef").write_bytes(b"secret")
        return found

    monkeypatch.setattr(os.path, "realpath", exchange)

    assert failure_of(source) == (FailureKind.NOT_FOUND, "")


@pytest.mark.parametrize("kind", ["directory", "fifo", "loop"])
def test_what_is_no_plain_file_is_not_found_and_not_waited_for(root, source, kind):
    place = root / PATH
    {"directory": place.mkdir, "fifo": lambda: os.mkfifo(place), "loop": lambda: place.symlink_to("cdef")}[kind]()

    assert failure_of(source) == (FailureKind.NOT_FOUND, "")


@pytest.mark.parametrize("path", ["a" * 5000, "\ud800", "ab/" * 3000 + "x"])
def test_names_that_no_file_can_have_are_not_found(source, path):
    assert refusal(source, path)[0] is FailureKind.NOT_FOUND


def test_a_root_that_is_not_there_is_not_found(tmp_path):
    assert failure_of(opened(type="filesystem", path=str(tmp_path / "none"))) == (FailureKind.NOT_FOUND, "")


def test_files_that_may_not_be_read_are_refused(root, source, monkeypatch):
    (root / PATH).write_bytes(b"x")
    real = os.open

    def deny(path, flags, *args, **options):
        if path == "cdef":
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *args, **options)

    monkeypatch.setattr(os, "open", deny)

    assert failure_of(source) == refused("the service may not read this file")


def test_copying_ends_with_the_deadline(root, source):
    (root / PATH).write_bytes(b"x")

    with pytest.raises(DeadlineExceeded):
        source.fetch(Location(PATH, ""), LIBRARY, io.BytesIO(), Deadline.after(0))


def test_no_descriptor_is_left_open(root, source):
    (root / PATH).write_bytes(b"x")
    before = len(os.listdir("/proc/self/fd"))
    for path in (PATH, "ab", "ab/none", "../x", "ab/cdef/deeper"):
        for _ in range(5):
            try:
                read(source, path)
            except LookupFailure:
                continue
    assert len(os.listdir("/proc/self/fd")) == before
