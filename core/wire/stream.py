"""A request's body as a stream with an end: bounded in size, in silence and in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import IOBase
from typing import Any, Final, Protocol

from core.wire.connection import MINIMUM_BYTES_PER_SECOND, BoundedSocket
from core.wire.errors import BodyBroken, BodyError, BodyTooLarge, BodyTooSlow

_STEP: Final = 1024 * 1024


class Source(Protocol):
    """What WSGI calls `wsgi.input`."""

    def read(self, size: int, /) -> bytes: ...

    def readline(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow a client may be. Seconds."""

    idle: float
    base: float

    def remaining(self, started: float, now: float, received: int) -> float:
        """Seconds that the next read may take; not positive when the client has been too slow over all."""
        allowed = max(self.base, received / MINIMUM_BYTES_PER_SECOND)
        return min(self.idle, started + allowed - now)


class BodyStream(IOBase):
    """The body of one request.

    `declared` is its Content-Length; None for a body whose end the server finds by its chunks. `limit` is the largest
    size in bytes and may be changed before the first read, before which `prepare` is called, since it may wait long.
    Reading raises BodyTooLarge, BodyTooSlow or BodyBroken; after that the connection is of no more use.
    """

    def __init__(
        self,
        source: Source,
        *,
        declared: int | None,
        limit: int,
        pace: Pace,
        connection: BoundedSocket | None,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self.limit = limit
        self.failure: BodyError | None = None
        self._source = source
        # As much as there is, where the server has such a way to read.
        self._read = getattr(source, "read_some", source.read)
        self._declared = declared
        self._pace = pace
        self._connection = connection
        self._prepare = prepare
        self._received = 0
        self._received_before = connection.received if connection is not None else 0
        self._started: float | None = None
        self._ended = declared == 0

    @property
    def chunked(self) -> bool:
        """Whether the length is only known at the end."""
        return self._declared is None

    @property
    def ended(self) -> bool:
        """Whether everything that the client sends for this request has been read."""
        return self._ended

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes; all that is left when negative; empty at the end."""
        if size is not None and size >= 0:
            return self._take(self._read, size)
        return b"".join(self._pieces())

    def readline(self, size: int | None = -1, /) -> bytes:
        """One line, its end included, of at most `size` bytes."""
        return self._take(self._source.readline, _STEP if size is None or size < 0 else size)

    def drain(self, most: int) -> None:
        """Read on and throw away, up to `most` bytes, so that the answer reaches a client that is still sending.

        Also after BodyTooLarge: nothing is wrong with the connection then.
        """
        if isinstance(self.failure, BodyTooLarge):
            self.failure = None
        self.limit = max(self.limit, self._received + most)
        while not self._ended and most > 0:
            most -= len(self.read(min(_STEP, most)))

    def _pieces(self) -> Iterator[bytes]:
        while piece := self.read(_STEP):
            yield piece

    def _take(self, read: Any, size: int) -> bytes:
        if self.failure is not None:
            raise self.failure
        try:
            return self._bounded(read, size)
        except BodyError as error:
            self.failure = error
            raise
        except Exception:
            # Whatever it was: where the next request begins on this connection is unknown from here on.
            self.failure = BodyBroken()
            raise

    def _bounded(self, read: Any, size: int) -> bytes:
        if self._declared is not None and self._declared > self.limit:
            raise BodyTooLarge(self.limit)
        wanted = self._wanted(size)
        if wanted == 0:
            return b""
        data = self._guarded(read, wanted)
        self._received += len(data)
        self._judge(data, wanted)
        return data

    def _wanted(self, size: int) -> int:
        if self._ended:
            return 0
        # One byte more than allowed tells a body that fills its limit from one that exceeds it.
        room = self.limit + 1 if self._declared is None else self._declared
        return min(size, room - self._received)

    def _judge(self, data: bytes, wanted: int) -> None:
        if self._received > self.limit:
            raise BodyTooLarge(self.limit)
        if self._declared is None:
            self._ended = not data
        elif self._received == self._declared:
            self._ended = True
        elif not data:
            raise BodyBroken

    def _guarded(self, read: Any, size: int) -> bytes:
        if self._started is None:
            self._prepare()
            self._started = time.monotonic()
        if self._connection is not None:
            self._connection.limit_reads(self._seconds_left)
        try:
            data: bytes = read(size)
        except BodyError:
            raise
        except TimeoutError:
            raise BodyTooSlow from None
        except (OSError, ValueError, EOFError) as error:
            raise BodyBroken from error
        except Exception as error:
            # The web server has exceptions of its own for chunks it cannot parse and clients that hang up.
            if type(error).__module__.startswith("gunicorn."):
                raise BodyBroken from error
            raise
        finally:
            if self._connection is not None:
                self._connection.unlimit_reads()
        return data

    def _seconds_left(self) -> float:
        assert self._started is not None  # noqa: S101 - set before every read
        # One read of this stream may take many of the connection, which therefore does the counting.
        came = self._connection.received - self._received_before if self._connection is not None else 0
        seconds = self._pace.remaining(self._started, time.monotonic(), came)
        if seconds <= 0:
            raise BodyTooSlow
        return seconds
