"""A request's body as it comes: gunicorn's own way of reading it copies each byte some five times."""

from __future__ import annotations

from typing import Any, Final

from gunicorn.http.body import Body, LengthReader

# Smaller pieces, as they come over a network, are put together: each costs its readers more than a copy of it does.
_ENOUGH_BYTES: Final = 64 << 10


class PassingBody(Body):  # type: ignore[misc]
    """gunicorn's, which can also be read without being filled up."""

    def read_some(self, size: int) -> bytes:
        """At most `size` bytes, or fewer as long as there are more to come; empty only at the end.

        Raises as `read`. A body in chunks, or of which `readline` has looked ahead, is read as ever.
        """
        reader = self.reader
        if type(reader) is not LengthReader or self.buf.tell():
            data: bytes = self.read(size)
            return data
        try:
            data = _taken(reader.unreader, min(size, reader.length))
        except Exception:
            self.failed = True
            raise
        reader.length -= len(data)
        return data


def _taken(unreader: Any, size: int) -> bytes:
    """What came with the headers, or else what the connection has by now."""
    if size <= 0:
        return b""
    ahead: bytes = unreader.take_buffered()
    if ahead:
        if len(ahead) > size:
            unreader.unread(ahead[size:])
        return ahead[:size]
    pieces: list[bytes] = []
    came = 0
    while came < min(size, _ENOUGH_BYTES) and (piece := unreader.sock.recv(size - came)):
        pieces.append(piece)
        came += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
