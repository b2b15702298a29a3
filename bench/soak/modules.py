"""Modules without end: a symbol server that has a Breakpad file for every debug id that it is asked about.

The files are made when they are fetched, so that what fills the cache of the service takes nothing here.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FUNCTIONS = 1_500
_FUNCTION_BYTES = 0x40
_IMAGE = 0x7F00_0000_0000
_PATH = re.compile(r"/lib(\d+)\.so/([0-9A-F]{33})/lib\1\.so\.sym")


def breakpad_id(number: int) -> str:
    """The debug id of module `number` as Breakpad writes it: 32 digits and the age."""
    return f"{number:032X}0"


def symbols(number: int) -> bytes:
    """The Breakpad file of a module: some hundred KB of functions with lines."""
    lines = [f"MODULE Linux x86_64 {breakpad_id(number)} lib{number}.so", f"FILE 0 /src/part{number}.c"]
    for index in range(FUNCTIONS):
        address = 0x1000 + index * _FUNCTION_BYTES
        lines.append(f"FUNC {address:x} {_FUNCTION_BYTES:x} 0 part{number}_function_{index}")
        lines.extend(f"{address + step:x} 20 {index * 3 + step} 0" for step in (0, 0x20))
    return "\n".join([*lines, ""]).encode()


def request(numbers: range) -> dict[str, Any]:
    """A request for native stacks with one frame in each of these modules."""
    modules, frames = [], []
    for place, number in enumerate(numbers):
        debug_id = f"{number:032x}"
        parts = (debug_id[:8], debug_id[8:12], debug_id[12:16], debug_id[16:20], debug_id[20:])
        base = _IMAGE + place * 0x100_0000
        name = f"/usr/lib/lib{number}.so"
        sizes = {"image_addr": hex(base), "image_size": 0x80_0000}
        modules.append({"type": "elf", "debug_id": "-".join(parts), "code_file": name, "debug_file": name, **sizes})
        frames.append({"instruction_addr": hex(base + 0x1000 + number % FUNCTIONS * _FUNCTION_BYTES + 4)})
    return {"modules": modules, "stacktraces": [{"frames": frames}]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        found = _PATH.fullmatch(self.path)
        body = symbols(int(found[1])) if found else b"not here"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that the service closes is nothing to tell of."""


@contextmanager
def running() -> Iterator[str]:
    """The server's URL while it runs."""
    server = _Server(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
