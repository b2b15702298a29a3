"""Recorded requests of real clients, sent again byte for byte over a socket of our own."""

from __future__ import annotations

import gzip
import json
import re
import socket
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import psycopg

from tests.engine.shared_fixtures import shared
from tests.service import Service

SUBDOMAIN = "saucebot"
TOKEN = "685f2e33a75f0f4623584389aa11bb22cc33dd44ee55ff6677889900aabb6f34"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Recorded:
    """One request as it came. `body` is without the framing of chunks, whose sizes are in `chunks`."""

    line: bytes
    headers: list[tuple[str, str]]
    body: bytes
    chunks: list[int] | None

    @classmethod
    def read(cls, name: str) -> Recorded:
        """The capture of this name."""
        folder = shared(f"fixtures/captures/requests/{name}")
        told = json.loads((folder / "request.json").read_text())
        elsewhere = folder / "BODY_IS"
        body = (
            shared("fixtures/captures/symbol_archives/symbols.tar").read_bytes()
            if elsewhere.exists()
            else (folder / "body.bin").read_bytes()
        )
        line = f"{told['method']} {told['target']} {told['http_version']}".encode()
        return cls(line, [(key, value) for key, value in told["headers"]], body, told["chunk_sizes"])

    def replaced(self, before: str, after: str) -> Recorded:
        """With another text in the request line."""
        return Recorded(self.line.replace(before.encode(), after.encode()), self.headers, self.body, self.chunks)

    def parts(self) -> list[tuple[str, str | None, bytes]]:
        """Name, file name and content of each part of a form, read by another reader than the service's."""
        headers = {name.lower(): value for name, value in self.headers}
        body = gzip.decompress(self.body) if headers.get("content-encoding") == "gzip" else self.body
        boundary = headers["content-type"].partition("boundary=")[2].encode()
        found = []
        for part in body.split(b"--" + boundary)[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            named = dict(re.findall(r'(\w+)="([^"]*)"', head.decode()))
            found.append((named["name"], named.get("filename"), content.removesuffix(b"\r\n")))
        return found

    def sent_to(self, service: Service) -> Reply:
        """The answer of a running service."""
        with socket.create_connection(service.address, timeout=60) as connection:
            connection.sendall(self._head())
            if self._waits():
                assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(self._framed())
            return read_reply(connection)

    def _waits(self) -> bool:
        return any(name == "Expect" and value == "100-continue" for name, value in self.headers)

    def _head(self) -> bytes:
        # One capture's length was taken before its body was replaced by a smaller one.
        lengths = {"Content-Length": str(len(self.body))}
        lines = [f"{name}: {lengths.get(name, value)}".encode() for name, value in self.headers]
        return b"\r\n".join([self.line, *lines]) + b"\r\n\r\n"

    def _framed(self) -> bytes:
        if self.chunks is None:
            return self.body
        framed, at = b"", 0
        for size in self.chunks:
            # One body was packed again after its chunks had been counted.
            piece = self.body[at : at + size]
            framed += f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
            at += size
        return framed + b"0\r\n\r\n"


def read_reply(connection: socket.socket) -> Reply:
    """One answer with a length."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        assert piece, data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return Reply(int(first.split()[1]), headers, body)


def make_token(service: Service, organization: str, project: str, text: str = TOKEN) -> None:
    """Give a new token of a running service a text of our choice: the one that the captures were recorded with."""
    made = service.token(organization, project, scopes=["symbol:post", "error:post"])
    with psycopg.connect(service.env["DATABASE_URL"]) as connection:
        connection.execute("DELETE FROM projects_apitoken WHERE digest = %s", [digest(text)])
        done = connection.execute(
            "UPDATE projects_apitoken SET digest = %s, prefix = %s WHERE digest = %s",
            [digest(text), text[:8], digest(made)],
        )
        assert done.rowcount == 1


def digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
