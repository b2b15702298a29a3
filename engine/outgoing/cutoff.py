"""Time limits that hold against a peer who sends one byte at a time."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from types import TracebackType

from engine.outgoing.watch import Watch

LONGEST_WAIT_SECONDS = 86_400.0
_watch = Watch()


class CutOff:
    """Shuts a connection down once `seconds` are over, whatever is being read from it at that moment.

    A socket's own timeout starts anew with every byte. Works below TLS, on a duplicate of the descriptor, so that
    it does not matter who wraps or closes the socket meanwhile. A cut looks like an end of the stream to the reader:
    ask `happened` before believing that everything has arrived.
    """

    def __init__(self, sock: socket.socket | None, seconds: float) -> None:
        self.happened = False
        self._lock = threading.Lock()
        self._twin = _duplicate(sock)
        self._seconds = min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)
        self._number: int | None = None

    def __enter__(self) -> CutOff:
        if self._seconds == 0.0:
            self._cut()
        elif self._twin is not None:
            self._number = _watch.call_after(self._seconds, self._cut)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """The work is done: do not cut any more."""
        if self._number is not None:
            _watch.cancel(self._number)
        with self._lock:
            if self._twin is not None:
                self._twin.close()
                self._twin = None

    def _cut(self) -> None:
        with self._lock:
            if self._twin is None:
                return
            self.happened = True
            with suppress(OSError):
                self._twin.shutdown(socket.SHUT_RDWR)


def _duplicate(sock: socket.socket | None) -> socket.socket | None:
    """None when the socket is closed already: then there is nothing left to wait for."""
    if sock is None or sock.fileno() < 0:
        return None
    with suppress(OSError):
        return socket.socket(fileno=os.dup(sock.fileno()))
    return None
