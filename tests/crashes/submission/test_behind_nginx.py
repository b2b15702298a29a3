"""Behind the proxy that the documentation describes, as production has it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crashes.replay import SUBDOMAIN, TOKEN, read_reply
from tests.crashes.submission.conftest import DUMP
from tests.needed import program
from tests.service import ROOT, Service

EXAMPLE = ROOT / "docs" / "examples" / "nginx.conf"
SLOW_CLIENTS = 300


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture
def proxy(saucebot: Service, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """The documented proxy, with other ports and directories."""
    port = free_port()
    text = EXAMPLE.read_text()
    changes = {
        "/run/symbolsvc-nginx.pid": str(tmp_path / "pid"),
        "/var/tmp/symbolsvc-bodies": str(tmp_path / "bodies"),
        "listen 8080": f"listen 127.0.0.1:{port}",
        "127.0.0.1:8000": f"{saucebot.address[0]}:{saucebot.address[1]}",
        "worker_processes auto;": "worker_processes 1; user root; daemon off;",
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    config = tmp_path / "nginx.conf"
    config.write_text(text)
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen([program("nginx"), "-c", str(config), "-p", str(tmp_path)], stderr=log)
    try:
        await_port(port, process)
        yield ("127.0.0.1", port)
    finally:
        process.terminate()
        process.wait(10)
        log.close()


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        assert process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx does not listen")


def submission(address: tuple[str, int], *headers: str) -> int:
    with socket.create_connection(address, timeout=60) as connection:
        lines = [f"POST /{SUBDOMAIN}/{TOKEN}/minidump HTTP/1.1", "Host: x", f"Content-Length: {len(DUMP)}", *headers]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + DUMP)
        return read_reply(connection).status


def test_slow_headers_and_bodies_leave_others_alone(proxy):
    with ExitStack() as held:
        for number in range(SLOW_CLIENTS):
            connection = held.enter_context(socket.create_connection(proxy, timeout=30))
            head = f"POST /{SUBDOMAIN}/{TOKEN}/minidump HTTP/1.1\r\nHost: x\r\n"
            # Half of them never end their headers, half never their bodies.
            connection.sendall(f"{head}Content-Length: 100000\r\n\r\nMDMP".encode() if number % 2 else head.encode())
        began = time.monotonic()
        statuses = [submission(proxy) for _ in range(10)]
        seconds = time.monotonic() - began

    assert statuses == [200] * 10
    assert seconds < 20


@pytest.mark.parametrize("expectation", ["100-continue", "gzip"])
def test_what_curl_is_told_to_expect_does_no_harm(proxy, expectation):
    if expectation == "100-continue":
        with socket.create_connection(proxy, timeout=60) as connection:
            head = f"POST /{SUBDOMAIN}/{TOKEN}/minidump HTTP/1.1\r\nHost: x\r\nContent-Length: {len(DUMP)}\r\n"
            connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 100")
            connection.sendall(DUMP)
            assert read_reply(connection).status == 200
    else:
        assert submission(proxy, "Expect: gzip") == 200
