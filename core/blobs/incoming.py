"""What is coming in: a spool file that takes its digests while it is written."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.blobs.errors import BlobTooLarge, explained


@dataclass(frozen=True, slots=True)
class Digests:
    """Hex digests of a content, and its size in bytes. `sha1` is empty where it was not asked for."""

    sha1: str
    sha256: str
    size: int


class Incoming:
    """A file of at most `limit` bytes that is written from start to end, with its SHA-1 taken or not.

    `kept`: a store moved it away from `path`.
    """

    def __init__(self, path: Path, file: BinaryIO, limit: int, *, sha1: bool = True) -> None:
        self.path = path
        self._file = file
        self._limit = limit
        self._sha1 = hashlib.sha1(usedforsecurity=False) if sha1 else None
        self._sha256 = hashlib.sha256()
        self._size = 0
        self._digests: Digests | None = None
        self.kept = False

    def write(self, data: bytes | memoryview) -> int:
        """Append `data`. Raises BlobTooLarge, StoreFull and StoreUnavailable."""
        if self._size + len(data) > self._limit:
            raise BlobTooLarge(self._limit)
        self._digests = None
        with explained():
            self._file.write(data)
        if self._sha1 is not None:
            self._sha1.update(data)
        self._sha256.update(data)
        self._size += len(data)
        return len(data)

    def finish(self) -> Digests:
        """Have everything that was written readable at `path`; its digests. Raises as `write`. May be called again."""
        if self._digests is None:
            with explained():
                self._file.flush()
            sha1 = "" if self._sha1 is None else self._sha1.hexdigest()
            self._digests = Digests(sha1, self._sha256.hexdigest(), self._size)
        return self._digests

    def sync(self) -> None:
        """Bring everything to the disk, wherever the file is by now. Raises as `write`."""
        with explained():
            self._file.flush()
            os.fsync(self._file.fileno())

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._size
