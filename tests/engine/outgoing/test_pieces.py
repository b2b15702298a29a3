"""Big files come in pieces, broken ones from where they stopped, and never a mixture of two files."""

from __future__ import annotations

import gzip
import io
import threading
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline, Part, PartRefused, Reply, Transfer, WebRequest, pieces, session
from engine.outgoing.reply import ContentRange
from engine.sourcetypes.answers import judged
from tests.engine.outgoing.range_server import CONTENT, RangeServer, transfer
from tests.engine.webserver import LOOPBACK, raw, reply, web_server

pytestmark = pytest.mark.usefixtures("small_pieces")

FIVE_GIB = (5 << 30) + 3


def test_a_small_file_takes_one_request(server):
    server.routes["/file"] = RangeServer(b"small")
    moving, target = transfer(server)

    moving.attempt(Deadline.after(5))

    assert target.getvalue() == b"small"
    assert [asked.headers["range"] for asked in server.asked] == ["bytes=0-99"]


def test_a_big_file_comes_in_pieces_of_the_same_state(server):
    server.routes["/file"] = route = RangeServer()
    moving, target = transfer(server)

    moving.attempt(Deadline.after(5))

    assert target.getvalue() == CONTENT
    assert sorted(route.ranges) == sorted(f"bytes={start}-{start + 99}" for start in range(0, 1000, 100))
    later = [asked for asked in server.asked if asked.headers["range"] != "bytes=0-99"]
    assert {asked.headers["if-range"] for asked in later} == {'"one"'}
    assert {asked.headers["accept-encoding"] for asked in later} == {"identity"}


def test_at_most_four_pieces_are_asked_for_at_a_time(server):
    busy, most, lock = [0], [0], threading.Lock()
    route = RangeServer()

    def act(asked, connection):
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        threading.Event().wait(0.05)
        with lock:
            busy[0] -= 1
        route(asked, connection)

    server.routes["/file"] = act
    moving, target = transfer(server)
    moving.attempt(Deadline.after(5))

    assert target.getvalue() == CONTENT
    assert most[0] == 4


def test_a_server_that_knows_no_ranges_is_read_in_one_go(server):
    server.routes["/file"] = reply(body=CONTENT)
    moving, target = transfer(server)

    moving.attempt(Deadline.after(5))

    assert target.getvalue() == CONTENT
    assert len(server.asked) == 1


def test_an_empty_file_is_had_though_no_range_of_it_can_be(server):
    def act(asked, connection):
        refused = reply("416 Range Not Satisfiable", Content_Range="bytes */0")
        (refused if "range" in asked.headers else reply(body=b""))(asked, connection)

    server.routes["/file"] = act
    moving, target = transfer(server)

    moving.attempt(Deadline.after(5))

    assert target.getvalue() == b""


def test_a_cut_connection_is_resumed_where_it_broke_off(server):
    server.routes["/file"] = route = RangeServer()
    route.broken = {0: 30, 300: 70}
    moving, target = transfer(server)

    with pytest.raises(LookupFailure, match="the connection broke off"):
        moving.attempt(Deadline.after(5))
    with pytest.raises(LookupFailure, match="the connection broke off"):
        moving.attempt(Deadline.after(5))
    moving.attempt(Deadline.after(5))

    assert target.getvalue() == CONTENT
    assert "bytes=30-99" in route.ranges
    assert "bytes=370-399" in route.ranges
    assert route.ranges.count("bytes=0-99") == 1


def test_a_plain_answer_that_breaks_off_is_resumed_too(server):
    head = b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: "one"\r\n\r\n'
    route = RangeServer()

    def act(asked, connection):
        (raw(head + CONTENT[:600]) if len(server.asked) == 1 else route)(asked, connection)

    server.routes["/file"] = act
    moving, target = transfer(server)
    with pytest.raises(LookupFailure):
        moving.attempt(Deadline.after(5))
    moving.attempt(Deadline.after(5))

    assert target.getvalue() == CONTENT
    assert route.ranges == ["bytes=600-999"]


def test_without_anything_to_tell_a_change_by_nothing_is_continued(server):
    server.routes["/file"] = route = RangeServer()
    route.headers = {"ETag": 'W/"weak"'}
    moving, target = transfer(server)

    moving.attempt(Deadline.after(5))

    assert target.getvalue() == CONTENT
    assert route.ranges == ["bytes=0-99", None]


def test_a_date_of_modification_will_do(server):
    server.routes["/file"] = route = RangeServer()
    route.headers = {"Last-Modified": "Sat, 01 Nov 2025 10:00:00 GMT"}
    moving, target = transfer(server)

    moving.attempt(Deadline.after(5))

    assert target.getvalue() == CONTENT
    assert len(route.ranges) == 10
    assert server.asked[-1].headers["if-range"] == "Sat, 01 Nov 2025 10:00:00 GMT"


def test_a_compressed_answer_that_is_complete_is_decoded(server):
    packed = gzip.compress(b"plain text " * 20)
    assert len(packed) < 100
    server.routes["/file"] = route = RangeServer(packed)
    route.headers["Content-Encoding"] = "gzip"
    moving, target = transfer(server)

    moving.attempt(Deadline.after(5))

    assert target.getvalue() == b"plain text " * 20


def test_redirects_take_the_range_along_and_credentials_stay(server):
    with web_server() as other:
        other.routes["/there"] = RangeServer()
        server.routes["/file"] = reply("302 Found", Location=f"{other.url}/there")
        request = WebRequest(session(LOOPBACK), f"{server.url}/file", {"Authorization": "Bearer canary"})
        target = io.BytesIO()
        Transfer(judged(lambda _: request), target).attempt(Deadline.after(5))

        assert target.getvalue() == CONTENT
        assert all("range" in asked.headers for asked in other.asked)
        assert "canary" not in str(other.asked)


def test_a_hanging_piece_ends_with_the_deadline(server):
    route = RangeServer()

    def act(asked, connection):
        if asked.headers["range"] == "bytes=500-599":
            connection.settimeout(20)
            connection.recv(1)
        else:
            route(asked, connection)

    server.routes["/file"] = act
    moving, _ = transfer(server)

    with pytest.raises(LookupFailure) as caught:
        moving.attempt(Deadline.after(1))
    assert caught.value.kind is FailureKind.TIMED_OUT


def test_a_file_that_is_too_large_fails_before_it_is_fetched(server):
    class Small(io.BytesIO):
        def write(self, data):
            if self.tell() + len(data) > 500:
                raise LookupFailure(FailureKind.TOO_LARGE, "too large")
            return super().write(data)

    server.routes["/file"] = RangeServer()
    moving, _ = transfer(server, Small())

    with pytest.raises(LookupFailure) as caught:
        moving.attempt(Deadline.after(5))
    assert caught.value.kind is FailureKind.TOO_LARGE
    assert len(server.asked) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(total=st.integers(1, 3000), size=st.integers(1, 500), cuts=st.lists(st.integers(0, 499), max_size=4))
def test_any_file_arrives_whole_in_any_pieces_however_often_it_is_cut(total, size, cuts):
    content = bytes(number % 251 for number in range(total))
    remaining, lock = list(cuts), threading.Lock()

    @contextmanager
    def opener(part, deadline):
        last = min(part.last, total - 1)
        with lock:
            length = remaining.pop() if remaining else last + 1 - part.first
        body = content[part.first : last + 1][:length]
        yield Reply(
            206, "", {"content-range": f"bytes {part.first}-{last}/{total}", "etag": '"e"'}, lambda: iter([body])
        )

    target = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE_BYTES", size)
        moving = Transfer(opener, target)
        for _ in range(len(cuts) + 1):
            try:
                moving.attempt(Deadline.after(5))
                break
            except LookupFailure:
                continue
        else:
            moving.attempt(Deadline.after(5))

    assert target.getvalue() == content


@pytest.mark.parametrize(
    "text",
    ["bytes 0-9/*", "bytes */10", "bytes 5-4/10", "bytes 0-10/10", "bytes -5-9/10", "bytes 0-9/10, 1-2/3", "0-9/10"],
)
def test_ranges_that_name_no_part_of_a_known_length_are_none(text):
    assert ContentRange.parse(text) is None


def test_a_range_of_a_large_file_is_read_exactly():
    assert ContentRange.parse("bytes 5368709120-5368709122/5368709123") == ContentRange(
        5368709120, 5368709122, FIVE_GIB
    )


def test_a_part_without_a_validator_asks_for_no_state():
    assert Part(0, 9).headers() == {"Range": "bytes=0-9"}


def test_a_part_that_is_refused_twice_contradicts():
    @contextmanager
    def opener(part, deadline):
        raise PartRefused
        yield

    with pytest.raises(LookupFailure, match="contradicts itself"):
        Transfer(opener, io.BytesIO()).attempt(Deadline.after(5))
