"""What a download does with servers that do not behave."""

from __future__ import annotations

import gzip
import io
import time

import pytest

from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline, connections, download, session
from tests.engine.webserver import LOOPBACK, hang, raw, reply, web_server

OK = b"HTTP/1.1 200 OK\r\n"


def fetch(server, path="/", headers=None, seconds=5.0):
    target = io.BytesIO()
    answer = download(
        session(LOOPBACK), server.url + path, target, headers=headers or {}, deadline=Deadline.after(seconds)
    )
    return answer, target.getvalue()


def failure_of(server, **options):
    with pytest.raises(LookupFailure) as caught:
        fetch(server, **options)
    return caught.value


def test_redirects_are_followed(server):
    server.routes["/"] = reply("301 Moved Permanently", Location="/b/../c?x=1#part")
    server.routes["/c"] = reply("307 Temporary Redirect", Location=f"{server.url}/d")
    server.routes["/d"] = reply(body=b"here")

    assert fetch(server)[1] == b"here"
    assert server.paths == ["/", "/c?x=1", "/d"]


def test_ten_redirects_are_followed_and_eleven_are_not(server):
    for number in range(20):
        server.routes[f"/{number}"] = reply("302 Found", Location=f"/{number + 1}")
    server.routes["/20"] = reply(body=b"end")

    assert fetch(server, "/10")[1] == b"end"
    with pytest.raises(LookupFailure, match="too many redirects"):
        fetch(server, "/9")


@pytest.mark.parametrize(
    "place", ["ftp://127.0.0.1/", "file:///etc/passwd", "gopher://x", "http://[::1", "javascript:1"]
)
def test_redirects_leave_the_web_never(server, place):
    server.routes["/"] = reply("302 Found", Location=place)

    assert "redirect to" in failure_of(server).details


def test_headers_follow_to_the_same_origin_only(server):
    with web_server() as other:
        secret = {"Authorization": "Bearer canary", "X-Key": "canary"}
        server.routes["/"] = reply("302 Found", Location="/same")
        server.routes["/same"] = reply("302 Found", Location=f"{other.url}/other")
        other.routes["/other"] = reply("302 Found", Location=f"{server.url}/back")
        server.routes["/back"] = reply(body=b"x")

        fetch(server, headers=secret)

    seen = {asked.target: "canary" in str(asked.headers) for asked in server.asked + other.asked}
    assert seen == {"/": True, "/same": True, "/other": False, "/back": False}


def test_a_redirect_without_a_place_is_the_answer(server):
    server.routes["/"] = reply("302 Found")

    assert fetch(server)[0].status == 302


def test_a_body_that_breaks_off_is_no_file(server):
    server.routes["/"] = raw(OK + b"Content-Length: 1000\r\n\r\nhalf")

    assert failure_of(server).details == "download failed: the connection broke off"


def test_a_chunked_body_that_breaks_off_is_no_file(server):
    server.routes["/"] = raw(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")

    assert failure_of(server).kind is FailureKind.UNREACHABLE


def test_no_more_than_the_announced_length_is_taken(server):
    server.routes["/"] = raw(OK + b"Content-Length: 4\r\n\r\nfileAND MORE")

    assert fetch(server)[1] == b"file"


def test_a_server_that_says_nothing_is_left_after_the_time_for_headers(server, monkeypatch):
    monkeypatch.setattr(connections, "HEADERS_SECONDS", 0.3)
    server.routes["/"] = hang
    started = time.monotonic()

    assert failure_of(server).kind is FailureKind.TIMED_OUT
    assert time.monotonic() - started < 2


def test_headers_that_drip_are_cut_off(server, monkeypatch):
    monkeypatch.setattr(connections, "HEADERS_SECONDS", 0.4)
    server.routes["/"] = raw(OK, *[b"X-A: b\r\n"] * 100, pause=0.05)
    started = time.monotonic()

    assert failure_of(server).kind is FailureKind.TIMED_OUT
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "head", [b"Content-Length: 100\r\n\r\n", b"Connection: close\r\n\r\n"], ids=["length", "until-end"]
)
def test_a_body_that_drips_is_cut_off_at_the_deadline(server, head):
    server.routes["/"] = raw(OK + head, *[b"x"] * 100, pause=0.05)
    started = time.monotonic()

    assert failure_of(server, seconds=0.5).kind is FailureKind.TIMED_OUT
    assert time.monotonic() - started < 2


def test_a_closed_port_is_named_as_such(server):
    with web_server() as gone:
        pass

    assert failure_of(gone).details == "download failed: connection refused"


def test_an_unknown_name_is_named_as_such():
    with pytest.raises(LookupFailure) as caught:
        download(
            session(LOOPBACK), "http://no-such-host.invalid/", io.BytesIO(), headers={}, deadline=Deadline.after(20)
        )

    assert caught.value.details == "download failed: the host name cannot be resolved"


def test_something_that_is_not_http_is_a_failure(server):
    server.routes["/"] = raw(b"SSH-2.0-OpenSSH_9.2\r\n")

    assert failure_of(server).kind is FailureKind.UNREACHABLE


def test_content_encodings_are_decoded(server):
    server.routes["/"] = reply(body=gzip.compress(b"plain" * 1000), Content_Encoding="gzip")

    assert fetch(server)[1] == b"plain" * 1000


@pytest.mark.parametrize(("coding", "body"), [("gzip", b"no gzip at all"), ("br", b"xx"), ("compress", b"xx")])
def test_a_content_encoding_that_cannot_be_decoded_is_malformed(server, coding, body):
    server.routes["/"] = reply(body=body, Content_Encoding=coding)

    assert failure_of(server).kind is FailureKind.MALFORMED


def test_the_body_of_an_error_page_is_not_taken(server):
    server.routes["/"] = reply("404 Not Found", b"page")

    answer, body = fetch(server)

    assert (answer.status, answer.reason, body) == (404, "Not Found", b"")


def test_the_body_of_a_redirect_is_not_read(server):
    def endless(_, connection):
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Length: 99999999999\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    server.routes["/"] = endless
    server.routes["/end"] = reply(body=b"end")

    assert fetch(server)[1] == b"end"


def test_nothing_is_asked_again_at_a_login_redirect(server, monkeypatch):
    """Azure's symbol server sends to a login page, which would answer 200 with HTML."""
    monkeypatch.setattr("engine.outgoing.transfer.LOGIN_REDIRECTS", frozenset({"127.0.0.1"}))
    server.routes["/"] = reply("302 Found", Location="/login")

    assert fetch(server)[0].status == 302
    assert server.paths == ["/"]
