"""Bodies that nobody means well with, over sockets of our own: bounded, answered, and of no effect on others."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.core.multipart import encoded
from tests.crashes.replay import SUBDOMAIN, TOKEN, read_reply
from tests.crashes.submission.conftest import DUMP, head
from tests.service import Service

FORM = b"Content-Type: multipart/form-data; boundary=b0undary\r\n"


def opened(service: Service, query: str = "", headers: bytes = b"", length: int | None = None) -> socket.socket:
    """A connection on which a submission has begun."""
    connection = socket.create_connection(service.address, timeout=60)
    framing = b"Transfer-Encoding: chunked" if length is None else b"Content-Length: %d" % length
    line = f"POST /{SUBDOMAIN}/{TOKEN}/minidump?{query} HTTP/1.1\r\nHost: x\r\n".encode()
    connection.sendall(line + headers + framing + b"\r\n\r\n")
    return connection


def quickly(service: Service) -> float:
    """Seconds that a submission of somebody else takes."""
    began = time.monotonic()
    with opened(service, length=len(DUMP)) as connection:
        connection.sendall(DUMP)
        assert read_reply(connection).status == 200
    return time.monotonic() - began


def test_a_byte_a_second_is_cut_off_while_others_go_on(saucebot: Service):
    def drip() -> int:
        with opened(saucebot, length=len(DUMP)) as connection:
            for byte in DUMP[:60]:
                connection.sendall(bytes([byte]))
                connection.settimeout(1)
                try:
                    return read_reply(connection).status
                except TimeoutError:
                    continue
        return 0

    with ThreadPoolExecutor(12) as pool:
        slow = [pool.submit(drip) for _ in range(12)]
        assert quickly(saucebot) < 10
        assert [one.result() for one in slow] == [408] * 12


@pytest.mark.parametrize("chunked", [True, False])
def test_a_client_that_stops_sending_is_told_so(saucebot: Service, chunked):
    with opened(saucebot, length=None if chunked else len(DUMP)) as connection:
        connection.sendall(b"4\r\nMDMP\r\n" if chunked else DUMP[:100])
        connection.shutdown(socket.SHUT_WR)
        assert read_reply(connection).status == 400


def test_a_client_that_hangs_up_leaves_nothing_behind(saucebot: Service):
    for _ in range(5):
        with opened(saucebot, headers=FORM) as connection:
            connection.sendall(b"4\r\n--b0\r\n")
    assert quickly(saucebot) < 10


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (FORM, encoded([("upload_file", DUMP), *((f"f{n}", b"x") for n in range(10_000))]), 400),
        (FORM, encoded([("upload_file", DUMP), *[("a", b"x" * (1 << 20))] * 9]), 413),
        (FORM, encoded([("upload_file", DUMP), *((f"{n}" * 400, b"\xff\x00") for n in range(9))]), 200),
        (FORM, encoded([(head("a\x00b", "\x00"), b""), ("upload_file", DUMP)]), 200),
        (FORM, encoded([("upload_file", DUMP), *[("same", b"\x00")] * 500]), 200),
        (FORM, b"--b0undary\r\n" * 100_000, 400),
        (FORM, b"--b0undary\r\n" + b"A" * 1_000_000, 400),
        (b"Content-Encoding: gzip, gzip\r\n", DUMP, 400),
        (b"Content-Type: \xff\xfe; boundary=\r\n", DUMP, 200),
    ],
    ids=["10,000 parts", "9 MiB", "long names", "NUL", "one name", "boundaries", "one head", "codings", "type"],
)  # fmt: skip
def test_odd_bodies_are_answered(saucebot: Service, headers, body, status):
    query = "%00=%00&%ED%A0%80=%ED%A0%80&=x&a&_mod_log=%00&universe="
    with opened(saucebot, query, headers, len(body)) as connection:
        connection.sendall(body)
        reply = read_reply(connection)
    assert reply.status == status, reply.body
