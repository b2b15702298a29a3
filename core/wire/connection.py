"""A socket whose reads and writes end: what stands between a waiting client and a thread held for ever."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from typing import Any, Final

# Below this a transfer counts as stalled once its base time is over.
MINIMUM_BYTES_PER_SECOND: Final = 8 * 1024
SEND_SECONDS: Final = 60.0


def connection_lost(reason: str) -> ConnectionResetError:
    """The error that the web server takes as "the client is gone", without a traceback in the log."""
    return ConnectionResetError(errno.ECONNRESET, reason)


class BoundedSocket:
    """A connected socket; everything it does not define itself is the real socket's.

    `allow` is asked before every read how many seconds that read may take, and raises when the time is up; without it
    reads go as the real socket is set. A read that exceeds the answer raises TimeoutError, or what `expired` makes.
    `received` counts the bytes read so far.
    """

    def __init__(self, real: socket.socket) -> None:
        self.real = real
        self.received = 0
        self._allow: Callable[[], float] | None = None
        self._expired: Callable[[], Exception] = TimeoutError

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def limit_reads(self, allow: Callable[[], float], expired: Callable[[], Exception] = TimeoutError) -> None:
        """Bound every read from here on."""
        self._allow, self._expired = allow, expired

    def unlimit_reads(self) -> None:
        """Back to what the real socket is set to."""
        self._allow, self._expired = None, TimeoutError

    def recv(self, size: int, flags: int = 0) -> bytes:
        """As `socket.recv`, in the time that is allowed."""
        data = self._recv(size, flags)
        self.received += len(data)
        return data

    def _recv(self, size: int, flags: int) -> bytes:
        if self._allow is None:
            return self.real.recv(size, flags)
        before = self.real.gettimeout()
        self.real.settimeout(self._allow())
        try:
            return self.real.recv(size, flags)
        except TimeoutError:
            raise self._expired() from None
        finally:
            self.real.settimeout(before)

    def sendall(self, data: bytes, flags: int = 0) -> None:
        """As `socket.sendall`; a client that does not read its answer is dropped."""
        before = self.real.gettimeout()
        self.real.settimeout(SEND_SECONDS + len(data) / MINIMUM_BYTES_PER_SECOND)
        try:
            self.real.sendall(data, flags)
        except TimeoutError:
            raise connection_lost("the answer was not read in time") from None
        finally:
            self.real.settimeout(before)


def until(deadline: float, expired: Callable[[], Exception]) -> Callable[[], float]:
    """An `allow` for a fixed end, in seconds of `time.monotonic`."""

    def allow() -> float:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise expired()
        return remaining

    return allow
