"""What is not there leaves its connection to the next question, and plain questions are asked as all others are."""

from __future__ import annotations

import io

import pytest

from engine.outgoing import Deadline, download, plain, session, transfer
from tests.engine.webserver import LOOPBACK, Asked, reply

LENGTH = b"Content-Length: 5\r\n\r\nthere"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n5\r\nthere\r\n0\r\n\r\n"
REFUSAL = b"HTTP/1.1 404 Not Found\r\n"


def status_of(server, path="/gone", headers=None):
    target = io.BytesIO()
    answer = download(session(LOOPBACK), server.url + path, target, headers=headers or {}, deadline=Deadline.after(10))
    return answer.status, target.getvalue()


def answering(content, times):
    """Give this answer as often over one connection, then close it at the next question."""

    def act(_, connection):
        for _ in range(times):
            connection.sendall(content)
            if not connection.recv(65536):
                return

    return act


@pytest.mark.parametrize("rest", [LENGTH, CHUNKED, b"Content-Length: 0\r\n\r\n"], ids=["length", "chunked", "empty"])
def test_refusals_share_a_connection(server, rest):
    server.default = answering(REFUSAL + rest, 9)

    assert [status_of(server) for _ in range(5)] == [(404, b"")] * 5
    assert len(server.asked) == 1


def test_redirects_share_a_connection(server):
    server.default = answering(b"HTTP/1.1 302 Found\r\nLocation: /next\r\n" + LENGTH, 6)
    server.routes["/end"] = reply(body=b"here")

    with pytest.raises(Exception, match="too many redirects"):
        status_of(server)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        REFUSAL + b"Content-Length: 70000\r\n\r\n",
        REFUSAL + b"Transfer-Encoding: chunked\r\n\r\n20000\r\n" + b"x" * 0x20000,
        REFUSAL + b"\r\nuntil the end",
        REFUSAL + b"Connection: close\r\n" + LENGTH,
        b"HTTP/1.0 404 Not Found\r\n" + LENGTH,
    ],
    ids=["long", "long and chunked", "without an end", "closing", "old"],
)
def test_other_refusals_end_their_connection(server, answer):
    server.default = answering(answer, 9)

    assert [status_of(server) for _ in range(3)] == [(404, b"")] * 3
    assert len(server.asked) == 3


def test_a_refusal_that_never_ends_is_not_waited_for(server, monkeypatch):
    monkeypatch.setattr(transfer, "REST_SECONDS", 0.05)
    server.default = answering(REFUSAL + b"Content-Length: 500\r\n\r\nonly this", 9)

    assert [status_of(server) for _ in range(2)] == [(404, b"")] * 2
    assert len(server.asked) == 2


def test_a_connection_closed_when_it_is_used_again_costs_no_try(server):
    server.default = answering(REFUSAL + LENGTH, 1)

    assert [status_of(server) for _ in range(4)] == [(404, b"")] * 4
    assert len(server.asked) == 4


def test_a_fresh_connection_closed_without_an_answer_is_a_failure(server):
    server.default = lambda *_: None

    with pytest.raises(Exception, match="broke off"):
        status_of(server)
    assert len(server.asked) == 1


ADDRESSES = (
    "/",
    "/a/b.pdb/0123-ABC_~/c.pd_",
    "/a//b?x=1&y=/../2",
    "/x?",
    "//twice/x",
    "/a%20b",
    "/%7euser/%zz",
    "/../up/./x",
    "/a b|c\\d",
    "/ä?ö#part",
    "/!$&'()*+,;=:@",
)


@pytest.mark.parametrize("path", ADDRESSES, ids=range(len(ADDRESSES)))
@pytest.mark.parametrize("headers", [{}, {"user-agent": "other", "X-Token": "a b", "Empty": ""}], ids=["no", "some"])
def test_plain_questions_are_asked_as_all_others_are(server, monkeypatch, path, headers):
    server.default = reply("404 Not Found")
    status_of(server, path, headers)
    monkeypatch.setattr(plain, "is_plain", lambda *_: False)
    status_of(server, path, headers)

    assert in_order(server.asked[0]) == in_order(server.asked[1])


def in_order(asked: Asked):
    return asked, list(asked.headers)


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://user:secret@host.example/x", {}),
        ("http://HOST.example/x", {}),
        ("http://host.example", {}),
        ("http://host.example:65536/x", {}),
        ("http://[::1]/x", {}),
        ("http://hö.example/x", {}),
        ("ftp://host.example/x", {}),
        ("http://host.example/x\n", {}),
        ("http://host.example/x", {"A": "b\r\nC: d"}),
        ("http://host.example/x", {"A": " b"}),
        ("http://host.example/x", {"A\n": "b"}),
        ("http://host.example/x", {"A": "ä"}),
    ],
    ids=range(12),
)
def test_what_needs_preparation_is_not_plain(url, headers):
    assert plain.is_plain("http://host.example/x", {"A": "b"})
    assert not plain.is_plain(url, headers)
