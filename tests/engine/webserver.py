"""A web server on loopback whose answers a test decides, byte by byte if need be."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from engine.outgoing import Trust

LOOPBACK = Trust.parse(["127.0.0.0/8"])


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class WebServer:
    """Answers each path by a function that gets the request and the open socket."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    routes: dict[str, Callable[[Asked, socket.socket], None]] = field(default_factory=dict)
    default: Callable[[Asked, socket.socket], None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [asked.target for asked in self.asked]


def reply(status: str = "200 OK", body: bytes = b"", **headers: str) -> Callable[[Asked, socket.socket], None]:
    """A complete answer."""

    def act(_: Asked, connection: socket.socket) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return act


def raw(*pieces: bytes, pause: float = 0.0) -> Callable[[Asked, socket.socket], None]:
    """These bytes and nothing else, with a pause between the pieces, then the end of the connection."""

    def act(_: Asked, connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)

    return act


def hang(_: Asked, connection: socket.socket) -> None:
    """Say nothing until the client gives up."""
    connection.settimeout(60)
    connection.recv(1)


@contextmanager
def web_server() -> Iterator[WebServer]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = WebServer(listener.getsockname()[1])
    threading.Thread(target=_accept, args=(listener, server), daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _accept(listener: socket.socket, server: WebServer) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, server), daemon=True).start()


def _serve(connection: socket.socket, server: WebServer) -> None:
    with connection:
        try:
            received = b""
            while b"\r\n\r\n" not in received:
                piece = connection.recv(65536)
                if not piece:
                    return
                received += piece
            asked = _parse(received)
            while len(asked.body) < int(asked.headers.get("content-length", 0)):
                asked = replace(asked, body=asked.body + connection.recv(65536))
            server.asked.append(asked)
            act = server.routes.get(asked.target.partition("?")[0]) or server.default or reply("404 Not Found")
            act(asked, connection)
        except OSError:
            return


def _parse(received: bytes) -> Asked:
    header, _, body = received.partition(b"\r\n\r\n")
    head, *lines = header.decode("latin-1").split("\r\n")
    method, target, _ = head.split(" ")
    return Asked(method, target, {line.split(": ")[0].lower(): line.split(": ", 1)[1] for line in lines}, body)
