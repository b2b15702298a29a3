"""Files that stay open, and those that must not: the disk has no room for what was removed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.formats.bytewise import mapped
from engine.native import open_files
from engine.native.open_files import OpenFiles


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> OpenFiles[memoryview]:
    monkeypatch.setattr(open_files, "_SWEEP_SECONDS", 0)
    return OpenFiles(4)


def opened(files: OpenFiles[memoryview], path: Path) -> memoryview:
    def open_it() -> memoryview:
        with open(path, "rb") as file:
            return memoryview(mapped(file))

    return files.get(path.name, path, open_it)


def put(directory: Path, name: str) -> Path:
    path = directory / name
    path.write_bytes(name.encode() * 5000)
    return path


def mapped_here(path: Path) -> bool:
    return str(path) in Path("/proc/self/maps").read_text()


def test_a_file_is_opened_once(files, tmp_path):
    path = put(tmp_path, "one")
    assert opened(files, path) is opened(files, path)


def test_the_least_lately_used_is_closed(files, tmp_path):
    paths = [put(tmp_path, f"file-{number}") for number in range(6)]
    for path in paths[:4]:
        opened(files, path)
    opened(files, paths[0])
    for path in paths[4:]:
        opened(files, path)
    assert [mapped_here(path) for path in paths] == [True, False, False, True, True, True]


def test_what_was_removed_is_closed_when_the_next_is_opened(files, tmp_path):
    gone, stays, other = (put(tmp_path, name) for name in ("gone", "stays", "other"))
    kept = opened(files, stays)
    opened(files, gone)
    gone.unlink()
    assert mapped_here(gone)
    opened(files, other)
    assert not mapped_here(gone)
    assert opened(files, stays) is kept


def test_what_was_replaced_is_closed_too(files, tmp_path):
    path = put(tmp_path, "one")
    first = opened(files, path)
    os.replace(put(tmp_path, "two"), path)
    opened(files, put(tmp_path, "three"))
    again = opened(files, path)
    assert again is not first
    assert bytes(again[:3]) == b"two"


def test_whoever_holds_a_file_can_read_it_on(files, tmp_path):
    held = opened(files, put(tmp_path, "one"))
    (tmp_path / "one").unlink()
    opened(files, put(tmp_path, "two"))
    assert bytes(held[:3]) == b"one"


def test_what_cannot_be_opened_is_not_remembered(files, tmp_path):
    with pytest.raises(FileNotFoundError):
        opened(files, tmp_path / "none")
    put(tmp_path, "none")
    assert bytes(opened(files, tmp_path / "none")[:4]) == b"none"
