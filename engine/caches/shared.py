"""A cache that several hosts share, in a bucket: files that were had, never the reasons why others were not.

What lies there is sealed and carries the time at which it was fetched; what does not prove whole, is too old or cannot
be had in time counts as absent. Names are the keys of the local cache, so its isolation holds here too, as long as
the hosts share their secret key. Nothing that goes wrong here is anybody's failure.
"""

from __future__ import annotations

import os
import queue
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from engine.caches.files import temporary_path
from engine.caches.sealed import SEAL, CorruptFile, check, seal
from engine.errors import SymbolsvcError
from engine.outgoing import Deadline

FETCH_SECONDS = 20.0
STORE_SECONDS = 120.0
MAX_FILE_BYTES = 1 << 30
MAX_AGE_SECONDS = 7 * 86_400.0
WAITING = 64
CHUNK_BYTES = 1 << 20
_CREATED = struct.Struct("<d")


class Shelter(Protocol):
    """Where the files lie. Both raise SymbolsvcError or OSError."""

    def get(self, name: str, target: BinaryIO, deadline: Deadline) -> None:
        """Write the file to `target` (seekable, empty)."""
        ...

    def put(self, name: str, source: BinaryIO, size: int, deadline: Deadline) -> None:
        """Store `size` bytes of `source` (seekable, at its start) in one step."""
        ...


@dataclass(slots=True)
class _Offer:
    """A finished file, held open so that tidying does not take it away."""

    name: str
    file: BinaryIO
    size: int
    created: float


@dataclass(slots=True)
class SharedCache:
    """Asked after the local cache, filled in the background. Safe to use from several threads."""

    shelter: Shelter
    spool: Path
    max_file_bytes: int = MAX_FILE_BYTES
    _offers: queue.Queue[_Offer] = field(default_factory=lambda: queue.Queue(WAITING), repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _worker: int = 0

    def fetch(self, name: str, target: BinaryIO, deadline: Deadline) -> float | None:
        """Write the file to `target` (open for reading and writing, empty) and say when it was fetched first.

        In seconds since the epoch; None, and an empty target, when there is no such file.
        """
        try:
            self.shelter.get(name, target, deadline.at_most(FETCH_SECONDS))
            target.flush()
            created = _opened(target)
        except (SymbolsvcError, OSError):
            created = None
        if created is None or not 0 <= time.time() - created <= MAX_AGE_SECONDS:
            target.seek(0)
            target.truncate()
            return None
        return created

    def offer(self, name: str, path: Path, size: int, created: float) -> None:
        """Have the first `size` bytes of a finished local file stored soon; dropped when too much is waiting."""
        if size > self.max_file_bytes:
            return
        with suppress(OSError):
            file = open(path, "rb")  # noqa: SIM115 - closed by the worker
            try:
                self._offers.put_nowait(_Offer(name, file, size, created))
            except queue.Full:
                file.close()
            self._start()

    def settle(self) -> None:
        """Wait until everything offered by this process is stored or given up."""
        self._offers.join()

    def _start(self) -> None:
        with self._lock:
            if self._worker != os.getpid():
                self._worker = os.getpid()
                threading.Thread(target=self._work, name="shared-cache", daemon=True).start()

    def _work(self) -> None:
        while True:
            offer = self._offers.get()
            try:
                self._store(offer)
            except Exception:  # noqa: BLE001, S110 - whatever fails here costs others a download and nothing else
                pass
            finally:
                offer.file.close()
                self._offers.task_done()

    def _store(self, offer: _Offer) -> None:
        self.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = temporary_path(self.spool / "offer")
        try:
            with open(path, "w+b") as sealed:
                _copy(offer.file, sealed, offer.size)
                sealed.write(_CREATED.pack(offer.created))
                seal(sealed)
                size = sealed.tell()
                sealed.seek(0)
                self.shelter.put(offer.name, sealed, size, Deadline.after(STORE_SECONDS))
        finally:
            path.unlink(missing_ok=True)


def _opened(file: BinaryIO) -> float:
    """Check the seal and take everything away that is not the file's own. Raises CorruptFile."""
    size = file.seek(0, os.SEEK_END)
    check(file, size)
    length = size - SEAL.size - _CREATED.size
    if length < 0:
        raise CorruptFile("the file is too short")
    file.seek(length)
    created = float(_CREATED.unpack(file.read(_CREATED.size))[0])
    file.seek(length)
    file.truncate()
    return created


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    while size > 0 and (chunk := source.read(min(CHUNK_BYTES, size))):
        target.write(chunk)
        size -= len(chunk)
    if size:
        raise CorruptFile("the file is shorter than it was")
