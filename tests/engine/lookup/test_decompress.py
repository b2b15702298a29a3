"""Files that symbol servers store compressed."""

from __future__ import annotations

import contextlib
import gzip
import io
import random
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import FailureKind, LookupFailure
from engine.lookup.decompress import Bounded, decompress
from tests.engine.shared_fixtures import shared

CONTENT = b"symbols " * 20_000 + random.Random(1).randbytes(50_000)


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, CONTENT)
    return file.getvalue()


def cabinet(content: bytes, *, compressed: bool, files: int = 1, method: int | None = None) -> bytes:
    """A cabinet of one folder, in the form that Microsoft's tools write."""
    blocks, window = [], b""
    for at in range(0, len(content), 32768):
        piece = content[at : at + 32768]
        packed = piece
        if compressed:
            stream = (
                zlib.compressobj(9, zlib.DEFLATED, -15, zdict=window)
                if window
                else zlib.compressobj(9, zlib.DEFLATED, -15)
            )
            packed = b"CK" + stream.compress(piece) + stream.flush()
            window = piece
        blocks.append(struct.pack("<IHH", 0, len(packed), len(piece)) + packed)
    entry = struct.pack("<IIHHHH", len(content), 0, 0, 0, 0, 0) + b"file.pdb\0"
    first_file = 36 + 8
    first_block = first_file + len(entry) * files
    folder = struct.pack("<IHH", first_block, len(blocks), (1 if compressed else 0) if method is None else method)
    body = folder + entry * files + b"".join(blocks)
    return struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, 36 + len(body), 0, first_file, 0, 3, 1, 1, files, 0, 1, 0) + body


def zstd(content: bytes) -> bytes:
    from backports.zstd import compress

    return compress(content)


def unpack(data: bytes, limit: int = 10**7) -> bytes | None:
    target = io.BytesIO()
    return target.getvalue() if decompress(io.BytesIO(data), Bounded(target, limit)) else None


PACKED = {
    "gzip": gzip.compress(CONTENT),
    "gzip of two members": gzip.compress(CONTENT[:1000]) + gzip.compress(CONTENT[1000:]),
    "zlib fast": zlib.compress(CONTENT, 1),
    "zlib": zlib.compress(CONTENT, 6),
    "zlib best": zlib.compress(CONTENT, 9),
    "zip": zipped("a.pdb"),
    "zstd": zstd(CONTENT),
    "zstd of two frames": zstd(CONTENT[:1000]) + zstd(CONTENT[1000:]),
    "cabinet": cabinet(CONTENT, compressed=True),
    "stored cabinet": cabinet(CONTENT, compressed=False),
}


@pytest.mark.parametrize("name", PACKED)
def test_a_compressed_file_is_unpacked(name):
    assert unpack(PACKED[name]) == CONTENT


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELF",
        CONTENT,
        b"SYSB\x02\0\0\0" + zipped("a"),
        zipped("a", "b"),
        zipped(),
        cabinet(CONTENT, compressed=True, files=2),
    ],
    ids=["empty", "elf", "plain", "source bundle", "zip of two", "zip of none", "cabinet of two"],
)
def test_other_files_stay_as_they_are(data):
    assert unpack(data) is None


@pytest.mark.parametrize("name", PACKED)
def test_a_compressed_file_that_is_cut_off_is_malformed(name):
    with pytest.raises(LookupFailure) as caught:
        unpack(PACKED[name][: len(PACKED[name]) * 2 // 3])

    assert caught.value.kind is FailureKind.MALFORMED


@pytest.mark.parametrize("method", [2, 0x1503])
def test_cabinets_with_other_compression_are_malformed(method):
    with pytest.raises(LookupFailure, match="LZX or Quantum"):
        unpack(cabinet(CONTENT, compressed=False, method=method))


@pytest.mark.parametrize("name", PACKED)
def test_the_unpacked_file_is_bounded(name):
    with pytest.raises(LookupFailure) as caught:
        unpack(PACKED[name], limit=len(CONTENT) - 1)

    assert caught.value.kind is FailureKind.TOO_LARGE


@given(st.sampled_from(sorted(PACKED)), st.integers(0, 400), st.binary(min_size=1, max_size=8))
@settings(max_examples=300, deadline=None)
def test_damage_never_raises_anything_else(name, at, noise):
    data = bytearray(PACKED[name])
    data[at : at + len(noise)] = noise
    with contextlib.suppress(LookupFailure):
        unpack(bytes(data))


def test_a_real_compressed_debug_file_is_unpacked():
    data = shared("fixtures/peers/symbolic/windows/msys2-qglib.debug.zst").read_bytes()

    assert unpack(data, limit=10**9)[:2] == b"MZ"
