"""gunicorn's threaded worker, with an end to everything a client can keep a thread waiting for.

gunicorn itself gives a new connection a thread at once, which waits some seconds for the first byte, then reads the
headers for as long as they take, and closes connections in the one thread that accepts them.
"""

from __future__ import annotations

import selectors
import time
from functools import partial
from typing import Any

from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.workers.gthread import TConn, ThreadWorker

from core.wire.connection import BoundedSocket, connection_lost, until
from symbolsvc.running.reading import PassingBody


class PatientRequest(Request):  # type: ignore[misc]
    """A request whose `Expect` nobody answers before the body is wanted (`core.wire.body` does then).

    gunicorn itself asks for every body at once, and refuses what else clients expect: documentation of symbol uploads
    has `Expect: gzip`.
    """

    def _apply_header_policy(self, name: str, value: str, *arguments: Any, **options: Any) -> Any:
        if name == "EXPECT":
            return name, value
        return super()._apply_header_policy(name, value, *arguments, **options)

    def set_body_reader(self) -> None:
        """Choose how the body is read."""
        super().set_body_reader()
        self.body: Any = PassingBody(self.body.reader)


class PatientParser(RequestParser):  # type: ignore[misc]
    mesg_class = PatientRequest


class Connection(TConn):  # type: ignore[misc]
    """A client's connection, whose reads and writes are bounded."""

    def __init__(self, cfg: Any, sock: Any, client: Any, server: Any) -> None:
        super().__init__(cfg, BoundedSocket(sock), client, server)
        self.closed = False
        # Bytes have to be there before a thread takes it.
        self.data_ready = True

    def init(self) -> None:
        """Be ready to read requests, with a parser of our own."""
        if not self.initialized:
            super().init()
            self.parser: Any = PatientParser(self.cfg, self.sock, self.client)

    def close(self, graceful: bool = False) -> None:
        """Close once; in good order only where waiting for the client's side harms nobody."""
        if not self.closed:
            self.closed = True
            super().close(graceful)


class BoundedThreadWorker(ThreadWorker):  # type: ignore[misc]
    """A connection waits for its first byte without a thread; headers have a fixed time; stopping refuses at once."""

    def accept(self, listener: Any) -> bool:
        """Take a connection and wait for its first byte; False when there was none to take."""
        try:
            client, address = listener.accept()
        except OSError:  # taken by nobody: the client has left again, or there are no descriptors left
            return False
        self.nr_conns += 1
        connection = Connection(self.cfg, client, address, listener.getsockname())
        connection.set_timeout()
        self.pending_conns.append(connection)
        waiting = partial(self.on_pending_socket_readable, connection)
        self.poller.register(connection.sock, selectors.EVENT_READ, waiting)
        return True

    def set_accept_enabled(self, enabled: bool) -> None:
        """As gunicorn's; a worker that stops takes what is queued and then refuses, instead of letting it wait."""
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            for listener in self.sockets:
                while self.accept(listener):
                    pass
                listener.close()

    def handle(self, conn: Connection) -> Any:
        deadline = time.monotonic() + self.app.header_seconds
        conn.sock.limit_reads(until(deadline, _headers_too_slow), _headers_too_slow)
        result = super().handle(conn)
        conn.sock.unlimit_reads()
        if not result:
            conn.close(graceful=True)
        return result

    def handle_request(self, req: Any, conn: Connection) -> Any:
        conn.sock.unlimit_reads()
        return super().handle_request(req, conn)


def _headers_too_slow() -> ConnectionResetError:
    return connection_lost("the headers came too slowly")
