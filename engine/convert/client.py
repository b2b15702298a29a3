"""Asking the converter, and starting one when none runs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from engine.convert.wire import (
    LINE_LIMIT,
    Broken,
    CheckSourceMap,
    Failed,
    Inspect,
    Inspected,
    MakeCfi,
    MakeSymcache,
    Reply,
    Request,
    decode_reply,
    encode,
)
from engine.errors import LookupFailure, SymbolsvcError
from engine.outgoing import Deadline

TRIES = 3
# A supervisor starts a killed converter again within this time.
RESTART_SECONDS = 1.0
START_SECONDS = 15.0
POLL_SECONDS = 0.02


class ConverterUnavailable(SymbolsvcError):
    """No converter answers and none could be started, or it could not work. Says nothing about the file."""

    code = "converter_unavailable"


class Converter:
    """Jobs for the converter at `socket_path`; without one, or when it is dead, for one of our own.

    `name` decides which processes of this user share a converter of their own. Safe to use from several threads.
    """

    def __init__(self, socket_path: Path | None, *, name: str) -> None:
        self._given = socket_path
        self._name = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self._lock = threading.Lock()
        self._own: subprocess.Popen[bytes] | None = None

    def inspect(self, path: Path, deadline: Deadline) -> Inspected:
        """The objects of a file.

        Raises LookupFailure (malformed, too large), ConverterUnavailable, DeadlineExceeded.
        """
        reply = self._ask(Inspect(str(path)), deadline)
        if not isinstance(reply, Inspected):
            raise ConverterUnavailable("the converter answered something else")
        return reply

    def inspect_and_make(self, path: Path, out: Path, deadline: Deadline) -> Inspected:
        """The objects of a file, and of a single one with debug information its symcache, into the existing file `out`.

        The answer says whether it was made; that it was not is no failure. Raises as `inspect`.
        """
        try:
            reply = self._ask(Inspect(str(path), str(out)), deadline)
        except (LookupFailure, ConverterUnavailable):
            reply = None
        # The symcache may be what ended the job.
        return reply if isinstance(reply, Inspected) else self.inspect(path, deadline)

    def make_symcache(self, path: Path, index: int, out: Path, deadline: Deadline) -> None:
        """Write the symcache of object `index` of a file into the existing file `out`. Raises as `inspect`."""
        self._ask(MakeSymcache(str(path), index, str(out)), deadline)

    def check_source_map(self, source_map: Path, source: Path, memory_bytes: int, deadline: Deadline) -> None:
        """Make sure that building a source map's lookup table ends well, within this much memory.

        Raises as `inspect`. Whoever builds it then needs twice the stack, 16 MiB.
        """
        self._ask(CheckSourceMap(str(source_map), str(source), memory_bytes), deadline)

    def make_cfi(self, path: Path, index: int, out: Path, deadline: Deadline) -> None:
        """Write the unwind rules of object `index` of a file, with their index, into the existing file `out`.

        Raises as `inspect`.
        """
        self._ask(MakeCfi(str(path), index, str(out)), deadline)

    def close(self) -> None:
        """End the converter that was started here, if any. Whoever asks again starts another."""
        with self._lock:
            if self._own is not None:
                self._own.terminate()
                self._own.wait()
                self._own = None

    def _ask(self, request: Request, deadline: Deadline) -> Reply:
        for _ in range(TRIES):
            try:
                reply = _converse(self._connect(deadline), request, deadline)
                break
            except (ConnectionError, msgspec.DecodeError):
                # The converter was killed in between; whoever is next starts another.
                deadline.check()
        else:
            raise ConverterUnavailable("the converter ended while it worked")
        if isinstance(reply, Failed):
            raise LookupFailure(reply.kind, reply.reason)
        if isinstance(reply, Broken):
            raise ConverterUnavailable(reply.reason)
        return reply

    def _connect(self, deadline: Deadline) -> socket.socket:
        if self._given is not None:
            connection = _wait_for(self._given, deadline.at_most(RESTART_SECONDS))
            if connection is not None:
                return connection
        path = _private_directory() / f"{self._name}.sock"
        return _try_connect(path) or self._start(path, deadline)

    def _start(self, path: Path, deadline: Deadline) -> socket.socket:
        with self._lock, _file_lock(path.with_suffix(".start"), deadline):
            connection = _try_connect(path)
            if connection is not None:
                return connection
            if self._own is not None:
                self._own.kill()
                self._own.wait()
            self._own = _spawn(path)
            connection = _wait_for(path, deadline.at_most(START_SECONDS))
        if connection is None:
            deadline.check()
            raise ConverterUnavailable("the converter does not start")
        return connection


def _spawn(path: Path) -> subprocess.Popen[bytes]:
    """Start a converter that ends when this process does: then the pipe on its standard input closes.

    It gets none of our environment, which holds secrets.
    """
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen(
        [sys.executable, "-m", "engine.convert.server", "--socket", str(path), "--lifeline"],
        stdin=subprocess.PIPE,
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": os.defpath, "LANG": "C.UTF-8"},
        start_new_session=True,
    )


def _converse(connection: socket.socket, request: Request, deadline: Deadline) -> Reply:
    with connection:
        connection.sendall(encode(request))
        received = b""
        while not received.endswith(b"\n"):
            remaining = deadline.remaining()
            connection.settimeout(None if remaining == float("inf") else max(remaining, 0.001))
            try:
                piece = connection.recv(LINE_LIMIT)
            except TimeoutError:
                deadline.check()
                continue
            if not piece:
                raise ConnectionResetError("the converter hung up")
            received += piece
    return decode_reply(received)


def _try_connect(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(5.0)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection


def _wait_for(path: Path, deadline: Deadline) -> socket.socket | None:
    while (connection := _try_connect(path)) is None and deadline.remaining():
        time.sleep(POLL_SECONDS)
    return connection


@contextmanager
def _file_lock(path: Path, deadline: Deadline) -> Iterator[None]:
    with open(path, "w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                deadline.check()
                time.sleep(POLL_SECONDS)
        yield


def _private_directory() -> Path:
    """A directory of this user alone, with a short path: socket names are limited to about 100 bytes.

    Raises ConverterUnavailable when somebody else made it before us.
    """
    directory = Path(tempfile.gettempdir()) / f"symbolsvc-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise ConverterUnavailable("the directory for the converter's socket does not belong to this user alone")
    return directory
