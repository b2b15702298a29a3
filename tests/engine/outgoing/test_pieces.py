"""Big files come in pieces, broken ones from where they stopped, and never a mixture of two files."""

from __future__ import annotations

import gzip
import io
import os
import re
import threading
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline, Part, PartRefused, Reply, Transfer, WebRequest, pieces, session
from engine.outgoing.reply import ContentRange
from engine.sourcetypes.answers import judged
from tests.engine.webserver import LOOPBACK, raw, reply, web_server

CONTENT = bytes(os.urandom(1000))
FIVE_GIB = (5 << 30) + 3


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 100)
    monkeypatch.setattr("engine.outgoing.transfer.CHUNK_BYTES", 10)


@pytest.fixture
def server():
    with web_server() as made:
        yield made


class RangeServer:
    """A web server's route that honours ranges, until told otherwise."""

    def __init__(self, content=CONTENT, **headers):
        self.content = content
        self.headers = {"ETag": '"one"'} | headers
        self.broken = {}
        self.lies = {}
        self.lock = threading.Lock()
        self.ranges = []

    def __call__(self, asked, connection):
        wanted = asked.headers.get("range")
        with self.lock:
            self.ranges.append(wanted)
        if wanted is None:
            reply(body=self.content, **self.headers)(asked, connection)
            return
        first, last = (int(text) for text in re.match(r"bytes=(\d+)-(\d+)", wanted).groups())
        part = self.content[first : last + 1]
        given = {"Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(self.content)}"}
        headers = self.headers | given | self.lies.get(first, {})
        with self.lock:
            cut = self.broken.pop(first, None)
        if cut is not None:
            lines = [f"HTTP/1.1 206 Partial Content\r\nContent-Length: {len(part)}\r\n"]
            lines += [f"{name}: {value}\r\n" for name, value in headers.items()]
            connection.sendall("".join(lines).encode() + b"\r\n" + part[:cut])
            return
        names = {name.replace("-", "_"): value for name, value in headers.items()}
        reply("206 Partial Content", part, **names)(asked, connection)


def transfer(server, target=None):
    target = target if target is not None else io.BytesIO()
    request = WebRequest(session(LOOPBACK), f"{server.url}/file", {})
    return Transfer(judged(lambda _: request), target), target


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


class _Ledger:
    """A file that notes where it is written to and keeps nothing."""

    def __init__(self):
        self.position = 0
        self.spans = []

    def seek(self, offset):
        self.position = offset

    def truncate(self):
        pass

    def write(self, data):
        self.spans.append((self.position, self.position + len(data)))
        self.position += len(data)


@pytest.mark.parametrize("total", [FIVE_GIB, (1 << 32), (1 << 32) + 1, (1 << 31)])
def test_offsets_beyond_four_gigabytes_are_exact(monkeypatch, total):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 128 << 20)
    block = memoryview(bytes(32 << 20))

    @contextmanager
    def opener(part, deadline):
        last = min(part.last, total - 1)

        def chunks():
            position = part.first
            while position <= last:
                step = min(len(block), last + 1 - position)
                yield block[:step]
                position += step

        headers = {"content-range": f"bytes {part.first}-{last}/{total}", "etag": '"e"'}
        yield Reply(206, "", headers, chunks)

    ledger = _Ledger()
    Transfer(opener, ledger).attempt(Deadline.after(30))

    assert ledger.spans[0] == (total - 1, total)
    covered = sorted(ledger.spans[1:])
    assert covered[0][0] == 0
    assert covered[-1][1] == total
    assert all(left[1] == right[0] for left, right in zip(covered, covered[1:], strict=False))


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
