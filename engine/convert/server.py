"""The converter: has `symbolic` loaded and forks a child with limits for every job.

    python -m engine.convert.server --socket PATH

A file that kills the native code kills a child, never the server. The server is one thread, so that forking is safe. It
ends on SIGTERM and with the process that started it; with `--lifeline` instead when its standard input is closed, for
starters whose threads come and go (the kernel's signal follows the thread that forked, not the process).
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.convert.jobs import Limits, confine, perform
from engine.convert.wire import LINE_LIMIT, Broken, Failed, Reply, Request, decode_request, encode
from engine.errors import FailureKind

PR_SET_PDEATHSIG = 1
REQUEST_SECONDS = 10.0
TICK_SECONDS = 1.0
DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class _Client:
    connection: socket.socket
    until: float
    received: bytes = b""


@dataclass(frozen=True, slots=True)
class _Child:
    pid: int
    pidfd: int
    connection: socket.socket
    until: float


class Server:
    """Accepts jobs on `listener`, `places` of them at a time."""

    def __init__(self, listener: socket.socket, limits: Limits, places: int) -> None:
        self._listener = listener
        self._limits = limits
        self._places = places
        self._selector = selectors.DefaultSelector()
        self._clients: dict[int, _Client] = {}
        self._waiting: deque[tuple[socket.socket, Request]] = deque()
        self._children: dict[int, _Child] = {}
        self._stopping = False
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ, self._accept)

    def stop(self) -> None:
        self._stopping = True

    def watch_lifeline(self, descriptor: int) -> None:
        """End when the other end of this pipe is closed."""
        self._selector.register(descriptor, selectors.EVENT_READ, self.stop)

    def wake_on(self, descriptor: int) -> None:
        """Signals write to this descriptor, so that waiting ends at once."""
        self._selector.register(descriptor, selectors.EVENT_READ, lambda: None)

    def run(self) -> None:
        """Serve until stopped; running children are killed then."""
        while not self._stopping:
            for key, _ in self._selector.select(TICK_SECONDS):
                act: Callable[[], None] = key.data
                act()
            self._expire()
            self._start_waiting()
        for child in list(self._children.values()):
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            client = _Client(connection, time.monotonic() + REQUEST_SECONDS)
            self._clients[connection.fileno()] = client
            self._selector.register(connection, selectors.EVENT_READ, lambda: self._read(client))

    def _read(self, client: _Client) -> None:
        try:
            piece = client.connection.recv(LINE_LIMIT)
        except OSError:
            piece = b""
        client.received += piece
        if not piece or len(client.received) > LINE_LIMIT:
            self._release(client)
            client.connection.close()
        elif client.received.endswith(b"\n"):
            self._release(client)
            self._enqueue(client)

    def _release(self, client: _Client) -> None:
        self._selector.unregister(client.connection)
        del self._clients[client.connection.fileno()]

    def _enqueue(self, client: _Client) -> None:
        try:
            request = decode_request(client.received)
        except msgspec.DecodeError:
            _answer(client.connection, Broken("the request cannot be read"))
            return
        self._waiting.append((client.connection, request))

    def _start_waiting(self) -> None:
        while self._waiting and len(self._children) < self._places:
            connection, request = self._waiting.popleft()
            try:
                pid = os.fork()
            except OSError:
                _answer(connection, Broken("no process could be started"))
                continue
            if pid == 0:
                _be_child(connection, request, self._limits)
            self._adopt(pid, connection)

    def _adopt(self, pid: int, connection: socket.socket) -> None:
        child = _Child(pid, os.pidfd_open(pid), connection, time.monotonic() + self._limits.wall_seconds)
        self._children[pid] = child
        self._selector.register(child.pidfd, selectors.EVENT_READ, lambda: self._bury(child))

    def _bury(self, child: _Child) -> None:
        self._selector.unregister(child.pidfd)
        os.close(child.pidfd)
        del self._children[child.pid]
        _, status = os.waitpid(child.pid, 0)
        if status == 0:
            child.connection.close()
        else:
            _answer(child.connection, _cause_of_death(os.waitstatus_to_exitcode(status)))

    def _expire(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            if child.until < now:
                os.kill(child.pid, signal.SIGKILL)
        for client in [client for client in self._clients.values() if client.until < now]:
            self._release(client)
            client.connection.close()


def _cause_of_death(code: int) -> Reply:
    if code in (-signal.SIGKILL, -signal.SIGXCPU):
        return Failed(FailureKind.TOO_LARGE, "converting this file took more time or memory than allowed")
    if code < 0:
        return Failed(FailureKind.MALFORMED, f"converting this file ended with {signal.Signals(-code).name}")
    return Broken("the job could not be done")


def _answer(connection: socket.socket, reply: Reply) -> None:
    connection.settimeout(1.0)
    with suppress(OSError), connection:
        connection.sendall(encode(reply))


def _be_child(connection: socket.socket, request: Request, limits: Limits) -> None:
    """Do the job and end this process; never returns."""
    code = 1
    try:
        _die_with_parent(signal.SIGKILL)
        _close_all_but(connection.fileno())
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        confine(limits, request.path)
        reply = perform(request)
        connection.settimeout(REQUEST_SECONDS)
        connection.sendall(encode(reply))
        code = 0
    finally:
        os._exit(code)


def _close_all_but(kept: int) -> None:
    """Leave standard streams and one descriptor; what native code prints goes nowhere."""
    os.closerange(3, kept)
    os.closerange(kept + 1, 1 << 16)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def _die_with_parent(number: signal.Signals) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def listen(path: Path) -> socket.socket:
    """Listen at `path`, taking it over from whoever listened there before."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        fresh.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(fresh))
    os.chmod(fresh, 0o600)
    listener.listen(256)
    os.rename(fresh, path)
    return listener


def main(arguments: list[str]) -> None:
    """Run until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m engine.convert.server")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--places", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--memory-bytes", type=int, default=DEFAULT_LIMITS.memory_bytes)
    parser.add_argument("--cpu-seconds", type=int, default=DEFAULT_LIMITS.cpu_seconds)
    parser.add_argument("--wall-seconds", type=float, default=DEFAULT_LIMITS.wall_seconds)
    parser.add_argument("--lifeline", action="store_true", help="end when standard input is closed")
    options = parser.parse_args(arguments)
    limits = Limits(options.memory_bytes, options.cpu_seconds, options.wall_seconds)
    _serve(options.socket, limits, options.places, lifeline=options.lifeline)


def _serve(path: Path, limits: Limits, places: int, *, lifeline: bool) -> None:
    listener = listen(path)
    inode = path.stat().st_ino
    server = Server(listener, limits, places)
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    server.wake_on(wake_read)
    if lifeline:
        server.watch_lifeline(sys.stdin.fileno())
    else:
        _die_with_parent(signal.SIGTERM)
    gc.freeze()
    server.run()
    with suppress(FileNotFoundError):
        if path.stat().st_ino == inode:
            path.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
