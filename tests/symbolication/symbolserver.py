"""A symbol server on loopback that records what it is asked, can demand a password, and can be made to hang."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from symbolsvc.demo.symbolserver import SYMBOLS

LEDGER = "39/88be7f44385cce25e399210deb9a5f57be012e"


@dataclass(frozen=True)
class Asked:
    path: str
    headers: Mapping[str, str]


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class SymbolServer:
    """`files` by path without the leading slash. `authorization`: the header it demands, else 401."""

    files: dict[str, bytes]
    authorization: str | None = None
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    hanging: threading.Event | None = None

    def hang(self) -> None:
        """Answer nothing from now on, until `release`."""
        self.hanging = threading.Event()

    def release(self) -> None:
        if self.hanging is not None:
            self.hanging.set()

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


@contextmanager
def running(files: Mapping[str, bytes] | None = None, authorization: str | None = None) -> Iterator[SymbolServer]:
    """A server for `files`, or for those of the shipped crash."""
    state = SymbolServer(dict(demo_files() if files is None else files), authorization)
    server = _Server(("127.0.0.1", 0), _handler(state))
    state.url = f"http://127.0.0.1:{server.server_address[1]}/"
    # How often it looks whether it is to end: a test waits for that.
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.release()
        server.shutdown()
        server.server_close()


def demo_files() -> dict[str, bytes]:
    return {str(path.relative_to(SYMBOLS)): path.read_bytes() for path in SYMBOLS.rglob("*") if path.is_file()}


def _handler(state: SymbolServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0].lstrip("/")
            state.asked.append(Asked(path, {name.lower(): value for name, value in self.headers.items()}))
            if state.hanging is not None:
                state.hanging.wait(60)
            if state.authorization is not None and self.headers.get("Authorization") != state.authorization:
                self._answer(401, b"")
            elif path in state.files:
                self._answer(200, state.files[path])
            else:
                self._answer(404, b"")

        do_HEAD = do_GET  # noqa: N815 - the name that the base class calls

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
