"""Bodies packed by Brotli and Zstandard."""

from __future__ import annotations

import random
import tracemalloc

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.coding import unpacked
from core.wire.errors import BodyBroken
from core.wire.newer_codings import zstd

PACKERS = {"br": brotli.compress, "zstd": zstd.compress}
each_coding = pytest.mark.parametrize("coding", sorted(PACKERS))


def cut(data: bytes, step: int) -> list[bytes]:
    return [data[at : at + step] for at in range(0, len(data), step)]


@each_coding
@given(content=st.binary(max_size=4000), step=st.integers(1, 900))
def test_what_was_packed_comes_out_however_it_arrives(coding, content, step):
    packed = PACKERS[coding](content)
    assert b"".join(unpacked(cut(packed, step), coding)) == content


@each_coding
@pytest.mark.parametrize("step", [7, 1 << 20])
def test_what_ends_early_or_is_something_else_is_broken(coding, step):
    packed = PACKERS[coding](random.Random(1).randbytes(5000))
    for data in (packed[:-1], packed[:2000], b"", b"{}\n" * 50):
        with pytest.raises(BodyBroken):
            list(unpacked(cut(data, step), coding))


def test_frames_of_zstandard_follow_each_other_and_brotli_has_nothing_behind_it():
    packed = zstd.compress(b"one ") + zstd.compress(b"two")
    for step in (1, 5, 1000):
        assert b"".join(unpacked(cut(packed, step), "zstd")) == b"one two"
    with pytest.raises(BodyBroken):
        list(unpacked([brotli.compress(b"one"), brotli.compress(b"two")], "br"))


@each_coding
def test_a_bomb_comes_in_small_pieces_and_can_be_left(coding):
    packed = PACKERS[coding](bytes(20 << 20))
    assert len(packed) < 1 << 20
    tracemalloc.start()
    try:
        pieces = unpacked([packed], coding)
        sizes = [len(next(pieces)) for _ in range(40)]
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert max(sizes) <= 512 << 10


def test_a_window_beyond_what_a_body_may_ask_for_is_refused():
    far = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    streamed = far.compress(b"x" * 100_000) + far.flush()
    assert len(zstd.decompress(streamed)) == 100_000
    with pytest.raises(BodyBroken):
        list(unpacked([streamed], "zstd"))
