from __future__ import annotations

import gzip
import io
import os
import random
import struct
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from symbolic import Archive

from engine.formats.bytewise import FormatError
from engine.formats.decompress import decompress, is_packed
from engine.formats.packed.cab import _checksum
from tests.engine.formats import builders

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CONTENT = random.Random(7).randbytes(50_000) + b"text that repeats. " * 40_000
BLOCKS = [CONTENT[at : at + 32768] for at in range(0, len(CONTENT), 32768)]
PACKED = {
    "zstd": zstd.compress(CONTENT),
    "zstd of two frames": zstd.compress(CONTENT[:1000]) + zstd.compress(CONTENT[1000:]),
    "gzip": gzip.compress(CONTENT),
    "gzip of two members": gzip.compress(CONTENT[:1000]) + gzip.compress(CONTENT[1000:]),
    "gzip with zeros behind": gzip.compress(CONTENT) + b"\0" * 512,
    "zlib fastest": zlib.compress(CONTENT, 0),
    "zlib default": zlib.compress(CONTENT, 6),
    "zlib best": zlib.compress(CONTENT, 9),
    "zip": builders.zipped({"crash.pdb": CONTENT}),
    "zip with a folder": builders.zipped({"symbols/": b"", "symbols/crash.pdb": CONTENT}),
    "cabinet, MSZIP": builders.cabinet(BLOCKS),
    "cabinet, stored": builders.cabinet(BLOCKS, method=0),
    "cabinet with reserved bytes": builders.cabinet(BLOCKS, reserve=5),
    "cabinet with reserved bytes not summed up": builders.cabinet(BLOCKS, reserve=5, reserve_summed=False),
}


def unpacked(data: bytes, max_bytes: int = 1 << 30) -> bytes | None:
    target = io.BytesIO()
    return target.getvalue() if decompress(io.BytesIO(data), target, max_bytes=max_bytes) else None


@pytest.mark.parametrize("data", PACKED.values(), ids=PACKED)
def test_each_packing_is_undone(data: bytes):
    assert is_packed(data[:4])
    assert unpacked(data) == CONTENT


@pytest.mark.parametrize("data", PACKED.values(), ids=PACKED)
def test_a_file_on_disk_is_read_from_its_start_and_written_to_disk(tmp_path: Path, data: bytes):
    target = tmp_path / "unpacked"
    with open(tmp_path / "packed", "w+b") as source, target.open("wb") as written:
        source.write(data)
        assert decompress(source, written, max_bytes=len(CONTENT))
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("data", PACKED.values(), ids=PACKED)
def test_one_byte_more_than_allowed_is_malformed(data: bytes):
    assert unpacked(data, len(CONTENT)) == CONTENT
    with pytest.raises(FormatError, match="more than"):
        unpacked(data, len(CONTENT) - 1)


@pytest.mark.parametrize("data", PACKED.values(), ids=PACKED)
def test_an_incomplete_file_is_malformed(data: bytes):
    whole = data.rstrip(b"\0") if data.startswith(b"\x1f\x8b") else data
    for cut in (len(whole) - 1, len(whole) // 2, 5):
        with pytest.raises(FormatError):
            unpacked(whole[:cut])


@pytest.mark.parametrize("data", [b"", b"MZ\x90\0", b"\x7fELF", b"SYSB\2\0\0\0PK\3\4", b"PK\5\6", b"\x1f", b"x"])
def test_what_is_not_packed_stays_as_it_is(tmp_path: Path, data: bytes):
    assert unpacked(data) is None
    (tmp_path / "file").write_bytes(data)
    target = io.BytesIO()
    with (tmp_path / "file").open("rb") as source:
        assert not decompress(source, target, max_bytes=10)
    assert target.getvalue() == b""


def test_only_one_layer_is_undone():
    assert unpacked(gzip.compress(PACKED["zstd"])) == PACKED["zstd"]


def test_empty_content_is_content():
    assert unpacked(gzip.compress(b"")) == b""
    assert unpacked(zstd.compress(b"")) == b""


@pytest.mark.parametrize("data", [builders.zipped({"a": b"1", "b": b"2"}), builders.cabinet(BLOCKS, files=2)])
def test_archives_of_several_files_are_malformed(data: bytes):
    with pytest.raises(FormatError, match="holds 2 files; exactly one is expected"):
        unpacked(data)


def test_garbage_behind_gzip_is_malformed():
    with pytest.raises(FormatError):
        unpacked(gzip.compress(b"x") + b"garbage")


@pytest.mark.parametrize(("method", "name"), [(2, "Quantum"), (0x1503, "LZX"), (9, "an unknown method")])
def test_cabinets_of_other_methods_say_so(method: int, name: str):
    data = builders.cabinet([b"content"], method=0)
    at = 36 + 6
    with pytest.raises(FormatError, match=f"packed with {name}; only stored and MSZIP"):
        unpacked(data[:at] + struct.pack("<H", method) + data[at + 2 :])


@pytest.mark.parametrize("flag", [1, 2])
def test_one_cabinet_of_a_set_is_malformed(flag: int):
    data = bytearray(builders.cabinet([b"content"]))
    data[30] |= flag
    with pytest.raises(FormatError, match="one of a set"):
        unpacked(data)


def test_a_changed_byte_in_a_stored_cabinet_is_malformed():
    data = bytearray(builders.cabinet([b"content"], method=0))
    data[-1] ^= 1
    with pytest.raises(FormatError, match="checksum"):
        unpacked(data)


def test_a_cabinet_without_checksums_is_read():
    data = bytearray(builders.cabinet([b"content"], method=0))
    data[-15:-11] = b"\0\0\0\0"
    assert unpacked(data) == b"content"


@pytest.mark.parametrize("size", [0, 3])
def test_a_cabinet_file_ends_where_its_entry_says(size: int):
    assert unpacked(builders.cabinet([b"content"], size=size)) == b"content"[:size]


def test_a_cabinet_file_that_is_longer_than_its_blocks_is_malformed():
    with pytest.raises(FormatError, match="ends before"):
        unpacked(builders.cabinet([b"content"], size=8))


@given(st.binary(max_size=300))
def test_the_folded_checksum_is_that_of_word_by_word(data: bytes):
    assert _checksum(memoryview(data), 5) == builders.cab_checksum(data, 5)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstd.compress], ids=["gzip", "zlib", "zstd"])
def test_a_bomb_takes_little_memory_and_stops_at_the_limit(tmp_path: Path, pack):
    (tmp_path / "bomb").write_bytes(pack(bytes(200 << 20)))
    with (tmp_path / "bomb").open("rb") as source, open(os.devnull, "wb") as target:
        tracemalloc.start()
        try:
            with pytest.raises(FormatError, match="more than"):
                decompress(source, target, max_bytes=20 << 20)
            assert tracemalloc.get_traced_memory()[1] < 8 << 20
        finally:
            tracemalloc.stop()


def test_a_debug_file_that_was_packed_elsewhere_opens(symbolic_files: Path, tmp_path: Path):
    target = tmp_path / "qglib.debug"
    with (symbolic_files / "windows/msys2-qglib.debug.zst").open("rb") as source, target.open("wb") as written:
        assert decompress(source, written, max_bytes=1 << 30)
    (opened,) = Archive.open(str(target)).iter_objects()
    assert (opened.file_format, opened.arch) == ("pe", "x86_64")
