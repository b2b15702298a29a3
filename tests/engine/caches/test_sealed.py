"""Derived files are opened only when every bit of them is as it was written."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from engine.caches import CorruptFile, publish, seal, temporary_file, verify
from engine.caches import sealed as sealed_module


def sealed_file(path: Path, content: bytes) -> str:
    with temporary_file(path) as (file, temporary):
        file.write(content)
        identity = seal(file)
        publish(temporary, path)
    return identity


def test_a_sealed_file_verifies_and_names_its_content(tmp_path):
    one = sealed_file(tmp_path / "one", b"content" * 1000)
    other = sealed_file(tmp_path / "other", b"content" * 1000)
    different = sealed_file(tmp_path / "different", b"content" * 999)

    assert verify(tmp_path / "one") == one == other != different
    assert (tmp_path / "one").read_bytes().startswith(b"content" * 1000)


def test_every_flipped_bit_is_noticed(tmp_path):
    path = tmp_path / "file"
    sealed_file(path, random.Random(7).randbytes(300))
    whole = path.read_bytes()
    for position in range(len(whole)):
        # The digest names the content and is not what protects it.
        if len(whole) - 20 <= position < len(whole) - 4:
            continue
        damaged = bytearray(whole)
        damaged[position] ^= 1 << (position % 8)
        path.write_bytes(damaged)
        with pytest.raises(CorruptFile):
            verify(path)


def test_ten_thousand_flips_over_a_symcache_are_all_noticed(tmp_path):
    path = tmp_path / "symcache"
    chance = random.Random(11)
    content = chance.randbytes(30_000)
    sealed_file(path, content)
    with path.open("r+b", buffering=0) as file:
        for _ in range(10_000):
            position, bit = chance.randrange(len(content)), 1 << chance.randrange(8)
            os.pwrite(file.fileno(), bytes([content[position] ^ bit]), position)
            with pytest.raises(CorruptFile):
                verify(path)
            os.pwrite(file.fileno(), content[position : position + 1], position)
    os.utime(path, (1, 1))
    assert verify(path)


@pytest.mark.parametrize("length", [0, 1, 35, 36, 100, 335])
def test_a_file_that_is_cut_off_is_noticed(tmp_path, length):
    path = tmp_path / "file"
    sealed_file(path, b"x" * 300)
    os.truncate(path, length)

    with pytest.raises(CorruptFile):
        verify(path)


def test_a_file_is_read_once_per_state(tmp_path, monkeypatch):
    path = tmp_path / "file"
    sealed_file(path, b"x" * 300)
    reads = []
    monkeypatch.setattr(sealed_module, "_crc", lambda *args: reads.append(1) or 0)
    monkeypatch.setattr(sealed_module, "check", lambda *args: reads.append(1) or "00")

    verify(path)
    verify(path)
    assert len(reads) == 1
    os.utime(path, (1, 1))
    verify(path)
    assert len(reads) == 2


def test_an_absent_file_is_absent(tmp_path):
    with pytest.raises(FileNotFoundError):
        verify(tmp_path / "none")


def test_an_unfinished_file_never_appears(tmp_path):
    target = tmp_path / "aa" / "file"

    def write_half() -> None:
        with temporary_file(target) as (file, _):
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert list(target.parent.iterdir()) == []
