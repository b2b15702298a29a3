"""Servers that contradict themselves about the parts of a file never make a mixture of two files."""

from __future__ import annotations

import pytest

from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline
from tests.engine.outgoing.range_server import CONTENT, RangeServer, transfer
from tests.engine.webserver import raw, reply

pytestmark = pytest.mark.usefixtures("small_pieces")


@pytest.mark.parametrize(
    "lie",
    [
        {"ETag": '"two"'},
        {"ETag": ""},
        {"Content-Range": "bytes 500-599/1001"},
        {"Content-Range": "bytes 400-499/1000"},
        {"Content-Range": "bytes 500-699/1000"},
        {"Content-Range": "bytes 500-598/1000"},
        {"Content-Range": "bytes 500-599/*"},
        {"Content-Range": "octets"},
        {"Content-Encoding": "gzip"},
    ],
)
def test_a_piece_of_something_else_makes_the_whole_file_be_asked_for(server, lie):
    """The file at once is the other file, whole: never a part of each."""
    server.routes["/file"] = route = RangeServer()
    route.lies = {500: lie}
    moving, target = transfer(server)

    moving.attempt(Deadline.after(5))

    assert target.getvalue() == CONTENT
    assert route.ranges[-1] is None


@pytest.mark.parametrize(
    "lie",
    [
        {"Content-Range": "bytes 1-100/1000"},
        {"Content-Range": "bytes 0-199/1000"},
        {"Content-Range": "bytes 0-99/50"},
        {"Content-Range": ""},
        {"Content-Encoding": "gzip"},
    ],
)
def test_a_first_piece_that_makes_no_sense_makes_the_whole_file_be_asked_for(server, lie):
    server.routes["/file"] = route = RangeServer()
    route.lies = {0: lie}
    moving, target = transfer(server)

    moving.attempt(Deadline.after(5))

    assert target.getvalue() == CONTENT
    assert route.ranges == ["bytes=0-99", None]


def test_a_file_that_changes_between_its_pieces_is_had_as_it_is_afterwards(server):
    old, new = RangeServer(b"a" * 1000), RangeServer(b"b" * 1000)
    new.headers = {"ETag": '"two"'}

    def act(asked, connection):
        (old if len(server.asked) <= 3 else new)(asked, connection)

    server.routes["/file"] = act
    moving, target = transfer(server)

    moving.attempt(Deadline.after(5))

    assert set(target.getvalue()) == {ord("b")}
    assert len(target.getvalue()) == 1000


def test_a_piece_that_is_answered_with_the_whole_file_starts_anew(server):
    route = RangeServer()

    def act(asked, connection):
        (reply(body=b"n" * 1000) if asked.headers.get("range") == "bytes=500-599" else route)(asked, connection)

    server.routes["/file"] = act
    route.content = b"n" * 1000
    moving, target = transfer(server)

    moving.attempt(Deadline.after(5))

    assert target.getvalue() == b"n" * 1000


def test_partial_content_for_the_whole_file_is_a_failure(server):
    server.routes["/file"] = reply("206 Partial Content", b"x" * 10, Content_Range="bytes 5-14/100")
    moving, _ = transfer(server)

    with pytest.raises(LookupFailure) as caught:
        moving.attempt(Deadline.after(5))
    assert caught.value.kind is FailureKind.UNREACHABLE


def test_more_than_was_asked_for_is_not_taken(server):
    chunked = (
        b'HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\nETag: "one"\r\nContent-Range: bytes 0-9/10\r\n'
    )

    def act(asked, connection):
        long = raw(chunked + b"\r\n14\r\n" + b"x" * 20 + b"\r\n0\r\n\r\n")
        (long if "range" in asked.headers else reply(body=b"0123456789"))(asked, connection)

    server.routes["/file"] = act
    moving, target = transfer(server)
    moving.attempt(Deadline.after(5))

    assert target.getvalue() == b"0123456789"
