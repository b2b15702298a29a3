"""A web server's route that honours ranges, and lies or breaks off where a test wants it to."""

from __future__ import annotations

import io
import os
import re
import threading

from engine.outgoing import Transfer, WebRequest, session
from engine.sourcetypes.answers import judged
from tests.engine.webserver import LOOPBACK, reply

CONTENT = bytes(os.urandom(1000))


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
    """The transfer of what the server has at `/file`, and what it goes to."""
    target = target if target is not None else io.BytesIO()
    request = WebRequest(session(LOOPBACK), f"{server.url}/file", {})
    return Transfer(judged(lambda _: request), target), target
