"""Reading envelopes: whatever was written comes out, however it arrives; what is none ends soon."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crashes.sentry.answers import BadReport
from crashes.sentry.envelope import EnvelopeLimits, open_envelope
from tests.crashes.sentry.sending import envelope, item, line

payloads = st.binary(max_size=60)
without_line_feed = payloads.map(lambda data: data.replace(b"\n", b"."))


@st.composite
def items(draw):
    sized = draw(st.booleans())
    names = draw(st.dictionaries(st.sampled_from(["filename", "attachment_type"]), st.text(max_size=20)))
    return draw(st.text(min_size=1, max_size=12)), draw(payloads if sized else without_line_feed), sized, names


def read(data, *, step=1 << 20, limits=None):
    chunks = (data[at : at + step] for at in range(0, len(data), step))
    opened = open_envelope(chunks, limits)
    return [(one.head.type, b"".join(one)) for one in opened.items()]


@settings(max_examples=40)
@given(written=st.lists(items(), max_size=6), step=st.integers(1, 80), end=st.sampled_from([b"", b"\n", b"\n\n\n"]))
def test_what_was_written_comes_out_however_it_arrives(written, step, end):
    data = envelope(*(item(payload, type_, sized=sized, **names) for type_, payload, sized, names in written))
    assert read(data + end, step=step) == [(type_, payload) for type_, payload, _, _ in written]


@settings(max_examples=40)
@given(written=st.lists(items(), min_size=1, max_size=3), step=st.integers(1, 80))
def test_the_last_line_feed_may_be_missing(written, step):
    written[-1] = ("last", b"something", *written[-1][2:])
    data = envelope(*(item(payload, type_, sized=sized) for type_, payload, sized, _ in written))
    assert read(data[:-1], step=step) == [(type_, payload) for type_, payload, _, _ in written]


@settings(max_examples=40)
@given(data=st.binary(max_size=300), step=st.integers(1, 50))
def test_any_bytes_are_read_or_refused(data, step):
    for body in (data, b"{}\n" + data, b'{}\n{"type":"event"}\n' + data):
        with suppress(BadReport):
            read(body, step=step)


def test_items_that_nobody_reads_are_skipped():
    opened = open_envelope([envelope(item(b"a\nb", "one"), item(b"c", "two"), item(b"d", "three"))])
    heads = [one.head.type for one in opened.items()]
    assert heads == ["one", "two", "three"]


def test_a_half_read_item_is_left_behind():
    data = envelope(item(bytes(100), "one"), item(b"x", "two"))
    opened = open_envelope(data[at : at + 1] for at in range(len(data)))
    items = opened.items()
    assert next(iter(next(items))) == b"\0"
    assert [(one.head.type, b"".join(one)) for one in items] == [("two", b"x")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the envelope's header"),
        (b"\n", "the envelope's header"),
        (b"\0\n", "the envelope's header"),
        (b"[]\n", "the envelope's header"),
        (b"null\n", "the envelope's header"),
        (b"{}\n{}\n", "an item's header"),
        (b"{}\nnot json\n", "an item's header"),
        (b'{}\n{"type": 7}\n', "an item's header"),
        (b'{}\n{"type": "a", "length": -1}\nx', "negative"),
        (b'{}\n{"type": "a", "length": 1.5}\nx', "an item's header"),
        (b'{}\n{"type": "a", "length": "1"}\nx', "an item's header"),
        (b'{}\n{"type": "a", "length": true}\nx', "an item's header"),
        (b'{}\n{"type": "a", "length": 1e400}\nx', "an item's header"),
        (b'{}\n{"type": "a", "length": 18446744073709551617}\nx', "shorter"),
        (b'{}\n{"type": "a", "length": 5}\nabc', "shorter"),
        (b'{}\n{"type": "a", "length": 5}', "shorter"),
        (b'{}\n{"type": "a", "length": 2}\nabc\n', "longer"),
        (b"[" * 60_000 + b"\n", "the envelope's header"),
        (b'{"a":' * 10_000 + b"\n", "the envelope's header"),
    ],
    ids=str,
)
def test_what_is_no_envelope_is_refused_with_the_reason(data, reason):
    for step in (1, 1 << 20):
        with pytest.raises(BadReport) as caught:
            read(data, step=step)
        assert caught.value.status == 400
        assert reason in caught.value.message


def test_texts_that_are_no_unicode_are_read():
    data = b'{"event_id": "\\ud800", "trace": "\xff\xfe", "x": NaN}\n{"type":"a","filename":"\\udc00.txt"}\nx'
    opened = open_envelope([data])
    (one,) = opened.items()
    assert opened.header.event_id == "\ufffd"
    assert one.head.filename == "\ufffd.txt"


class Endless:
    """A body without an end, in pieces of `size` zeros, that counts how many were asked for."""

    def __init__(self, start: bytes = b"", size: int = 4096) -> None:
        self.start, self.size, self.pieces = start, size, 0

    def __iter__(self):
        yield self.start
        while True:
            self.pieces += 1
            assert self.pieces < 100
            yield bytes(self.size)


@pytest.mark.parametrize("start", [b"", b"{}\n"], ids=["the first line", "an item's line"])
def test_a_line_without_an_end_is_left_at_its_limit(start):
    chunks = Endless(start)
    with pytest.raises(BadReport, match="has more than"):
        list(open_envelope(chunks).items())
    assert chunks.pieces <= 17


def test_items_are_counted_whether_anybody_wants_them_or_not():
    data = envelope(*[item(b"", "x", sized=False)] * 10_000)
    with pytest.raises(BadReport, match="more than 500 items") as caught:
        read(data)
    assert caught.value.status == 413
    assert len(read(data, limits=EnvelopeLimits(items=10_000))) == 10_000


def test_empty_lines_between_items_cost_nothing():
    assert read(envelope(item(b"a"), b"\n" * 100_000, item(b"b"))) == [("attachment", b"a"), ("attachment", b"b")]


def test_a_large_payload_is_never_in_memory():
    size = 64 << 20
    chunks = itertools.chain(
        [line({}), line({"type": "x", "length": size})], itertools.repeat(bytes(1 << 16), size >> 16)
    )
    tracemalloc.start()
    try:
        (total,) = [sum(map(len, one)) for one in open_envelope(chunks).items()]
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert total == size


def test_a_long_line_of_many_small_pieces_is_read_in_one_go():
    header = {"trace": "x" * 60_000}
    assert read(envelope(item(b"x"), **header), step=1) == [("attachment", b"x")]
    assert len(json.dumps(header)) > 60_000
