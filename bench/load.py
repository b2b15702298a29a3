"""A small load generator: a few keep-alive connections, each with one request at a time, in one thread.

It sends the same bytes again and again and only counts what comes back, so that it takes little from the server under
test on the same machine.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_BUFFER = bytearray(1 << 20)


@dataclass(frozen=True)
class Target:
    """A request that is sent over and over."""

    url: str
    body: bytes
    token: str = ""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        assert parts.hostname
        assert parts.port
        return parts.hostname, parts.port

    def encoded(self) -> bytes:
        parts = urlsplit(self.url)
        more = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: {self.content_type}\r\n"
            f"Authorization: Bearer {self.token}\r\n{more}Content-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


@dataclass
class Result:
    """Answered requests per second, and how long each took; `refused` counts those without a 200."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    failures: int = 0
    refused: list[float] = field(default_factory=list)
    sizes: set[int] = field(default_factory=set)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds that this share of the requests took at most."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


class _Connection:
    def __init__(self, target: Target, result: Result) -> None:
        self.socket = socket.create_connection(target.address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.request, self.result = memoryview(target.encoded()), result
        self.unsent = self.request
        self.begun = 0.0
        self.head = b""
        self.missing: int | None = None
        self.failed = False

    def begin(self) -> None:
        """Have the request to send once more."""
        self.head, self.missing, self.begun = b"", None, time.perf_counter()
        self.unsent = self.request

    def send(self) -> bool:
        """Send what the connection takes, so that no other one waits meanwhile; True when that was the rest."""
        self.unsent = self.unsent[self.socket.send(self.unsent) :]
        return not self.unsent

    def read(self) -> bool:
        """Take what has come; True when the answer is complete."""
        count = self.socket.recv_into(_BUFFER)
        if count == 0:
            raise ConnectionError("the server closed the connection")
        if self.missing is None:
            self._read_head(bytes(_BUFFER[:count]))
        else:
            self.missing -= count
        return self.missing == 0

    def _read_head(self, piece: bytes) -> None:
        self.head += piece
        head, end, rest = self.head.partition(b"\r\n\r\n")
        found = _LENGTH.search(head) if end else None
        if found is None:
            return
        size = int(found[1])
        self.missing = size - len(rest)
        self.result.sizes.add(size)
        self.failed = not head.startswith(b"HTTP/1.1 200")
        self.result.failures += self.failed

    def end(self) -> None:
        """Note how long the answer that is complete has taken."""
        seconds = time.perf_counter() - self.begun
        self.result.latencies.append(seconds)
        if self.failed:
            self.result.refused.append(seconds)


def run(target: Target, *, connections: int, seconds: float) -> Result:
    """Load `target` for so long."""
    result = Result(seconds)
    opened = [_Connection(target, result) for _ in range(connections)]
    selector = selectors.DefaultSelector()
    for connection in opened:
        connection.begin()
        selector.register(connection.socket, selectors.EVENT_WRITE, connection)
    began = time.perf_counter()
    while (now := time.perf_counter()) - began < seconds:
        for key, ready in selector.select(timeout=1):
            connection = key.data
            if ready & selectors.EVENT_WRITE:
                if connection.send():
                    selector.modify(connection.socket, selectors.EVENT_READ, connection)
            elif connection.read():
                connection.end()
                connection.begin()
                selector.modify(connection.socket, selectors.EVENT_WRITE, connection)
    result.seconds = now - began
    selector.close()
    for connection in opened:
        connection.socket.close()
    return result
