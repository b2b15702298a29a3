"""Bodies that are passed on as they come: all of one, nothing of the next request."""

from __future__ import annotations

import socket
from collections.abc import Iterable

import pytest
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.unreader import SocketUnreader
from hypothesis import given
from hypothesis import strategies as st

from symbolsvc.running.reading import _ENOUGH_BYTES, PassingBody

NEXT = b"GET / HTTP/1.1\r\n"


class Connection:
    """What a client's connection gives: these pieces, cut where less is asked for, then the end."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]

    def recv(self, size: int) -> bytes:
        assert size > 0
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if len(piece) > size:
            self._pieces.insert(0, piece[size:])
        return piece[:size]


def body_of(length: int, pieces: Iterable[bytes], ahead: bytes = b"") -> PassingBody:
    """A body of which `ahead` came with the headers."""
    unreader = SocketUnreader(Connection(pieces))
    unreader.unread(ahead)
    return PassingBody(LengthReader(unreader, length))


def cut(data: bytes, sizes: Iterable[int]) -> Iterable[bytes]:
    for size in sizes:
        yield data[:size]
        data = data[size:]
    yield data


_SIZES = st.lists(st.integers(1, 40), max_size=8)
_READS = st.lists(st.tuples(st.sampled_from(["read_some", "read", "readline"]), st.integers(1, 50)), max_size=12)


@given(st.binary(max_size=200), _SIZES, st.integers(0, 250), _READS)
def test_however_it_is_read_it_is_the_body_and_the_next_request_is_left(data, sizes, ahead, reads):
    sent = data + NEXT
    body = body_of(len(data), cut(sent[ahead:], sizes), sent[:ahead])
    came = b"".join(getattr(body, way)(size) for way, size in reads)
    came += b"".join(iter(lambda: body.read_some(30), b""))
    assert came == data
    assert body.read(1) == b""
    unreader = body.reader.unreader
    rest = unreader.take_buffered()
    assert rest + b"".join(iter(lambda: unreader.sock.recv(1000), b"")) == NEXT


def test_no_more_is_waited_for_than_makes_a_piece():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        body = PassingBody(LengthReader(SocketUnreader(ours), 10 * _ENOUGH_BYTES))
        theirs.sendall(b"a" * _ENOUGH_BYTES)
        assert body.read_some(1 << 20) == b"a" * _ENOUGH_BYTES


def test_what_ends_early_ends():
    body = body_of(10, [b"abc"])
    assert (body.read_some(20), body.read_some(20), body.failed) == (b"abc", b"", False)


def test_a_connection_that_fails_serves_no_other_request():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0)
        body = PassingBody(LengthReader(SocketUnreader(ours), 10))
        with pytest.raises(BlockingIOError):
            body.read_some(10)
    assert body.failed


def test_a_body_in_chunks_is_read_as_ever():
    unreader = SocketUnreader(Connection([b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"]))

    class Told:
        limit_request_field_size = limit_request_fields = 0
        headers: list[tuple[str, str]] = []

    body = PassingBody(ChunkedReader(Told(), unreader))
    assert body.read_some(4) + body.read_some(4) == b"abcde"
