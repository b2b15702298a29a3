"""Values of MessagePack, one after another."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crashes.sentry.loosely import json_of
from crashes.sentry.messagepack import BadMessagePack, objects_of, values_of

pack = msgspec.msgpack.encode
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=5), inner, max_size=20),
    max_leaves=20,
)


@settings(max_examples=60)
@given(listed=st.lists(values, max_size=4))
def test_what_was_written_comes_out(listed):
    assert values_of(b"".join(map(pack, listed))) == listed


@pytest.mark.parametrize("size", [0, 31, 32, 255, 256, 65_535, 65_536])
def test_lengths_are_written_in_several_ways(size):
    listed = ["x" * size, b"x" * size, [None] * size, {str(n): n for n in range(size)}]
    for value in listed:
        assert values_of(pack(value) + b"\x07") == [value, 7]


def test_times_and_unknown_extensions_end_nothing():
    data = pack({"at": datetime(2026, 1, 1, tzinfo=UTC)}) + b"\xd4\x05x" + b"\xc7\x02\x05xy" + pack(1)
    assert len(values_of(data)) == 4


@settings(max_examples=60)
@given(data=st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data):
    try:
        values_of(data)
    except BadMessagePack:
        assert data


@pytest.mark.parametrize(
    "data",
    [
        b"\xc1",
        b"\xa5abc",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff\x01",
        b"\x91" * 500_000,
        b"\x92\x01",
        b"\x01" * 1001,
        pack([[]] * 200_000),
    ],
    ids=["unused", "cut off", "array", "map", "deep", "short", "many", "many inside"],
)
def test_what_is_none_is_refused(data):
    with pytest.raises(BadMessagePack):
        values_of(data)


def test_an_object_becomes_json_whatever_is_in_it():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    (told,) = objects_of(pack({1: b"\xff", "nan": float("nan"), "text": "\0", "at": at}))
    assert json_of(told) == b'{"1":"\xef\xbf\xbd","nan":null,"text":"\xef\xbf\xbd","at":"2026-01-01 00:00:00+00:00"}'


def test_nothing_is_made_of_nothing():
    assert [objects_of(data) for data in (b"", b"\xc1", pack(7), pack({}) + b"\xc1")] == [[], [], [], []]
