"""A small symbol server for the demo: the files of the shipped crash, in the native layout, on loopback."""

from __future__ import annotations

import functools
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

SYMBOLS = Path(__file__).parent / "symbols"


class _Files(SimpleHTTPRequestHandler):
    extensions_map = {"": "application/octet-stream"}  # noqa: RUF012 - the base class declares it so

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing: what was asked for stands in the candidates of the answer."""

    def list_directory(self, path: object) -> None:
        self.send_error(404)


def start(port: int = 0) -> tuple[ThreadingHTTPServer, str]:
    """Serve the files from a thread; returns the server and the URL to use in a source."""
    server = ThreadingHTTPServer(("127.0.0.1", port), functools.partial(_Files, directory=str(SYMBOLS)))
    Thread(target=server.serve_forever, name="demo-symbols", daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}/"
