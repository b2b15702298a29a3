"""What symstore servers with `has_index` list in their transaction files, kept in memory.

A process reads an index once and for a day takes it as it is; afterwards it reads only the transactions that are new.
Reading may be interrupted by a deadline and goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import threading
import time
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Protocol

from engine.errors import FailureKind, LookupFailure
from engine.formats.bytewise import FormatError
from engine.formats.symstore_index import (
    LAST_ID_PATH,
    MAX_FILE_BYTES,
    parse_last_id,
    parse_transaction,
    transaction_path,
)
from engine.outgoing import Deadline

KNOWN_SECONDS = 86_400.0
FAILED_SECONDS = 600.0
MAX_INDEXES = 64
# Eight bytes each, in all indexes of a process together.
MAX_PATHS = 16_000_000
LAST_ID_BYTES = 1024

# Reads a file of the server: path, greatest size in bytes, deadline. Raises LookupFailure.
Reader = Callable[[str, int, Deadline], bytes]


class Listed(Protocol):
    def __contains__(self, path: object) -> bool: ...


class _Index:
    """The digests of all listed paths, sorted, and how far the transactions have been read."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.valid_until = 0.0
        self._read = 0
        self._digests: array[int] = array("Q")

    def __contains__(self, path: object) -> bool:
        digests = self._digests
        digest = _digest(str(path))
        at = bisect_left(digests, digest)
        return at < len(digests) and digests[at] == digest

    def __len__(self) -> int:
        return len(self._digests)

    def refresh(self, read: Reader, deadline: Deadline) -> None:
        """Read what is new. Raises LookupFailure, FormatError and DeadlineExceeded."""
        last = parse_last_id(read(LAST_ID_PATH, LAST_ID_BYTES, deadline))
        if last < self._read:
            # The server was set up anew.
            self._read, self._digests = 0, array("Q")
        found: set[int] = set()
        try:
            while self._read < last:
                found |= _transaction(self._read + 1, read, deadline)
                self._read += 1
                if len(found) + len(self._digests) > MAX_PATHS:
                    raise LookupFailure(FailureKind.TOO_LARGE, "the index is larger than allowed")
        finally:
            if found:
                self._digests = array("Q", sorted(found.union(self._digests)))


def _transaction(number: int, read: Reader, deadline: Deadline) -> set[int]:
    """The digests of what one transaction lists; nothing for a transaction that has been removed."""
    try:
        content = read(transaction_path(number), MAX_FILE_BYTES, deadline)
    except LookupFailure as failure:
        if failure.kind is FailureKind.NOT_FOUND:
            return set()
        raise
    return {_digest(path) for path in parse_transaction(content)}


def _digest(path: str) -> int:
    raw = path.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "little")


class Indexes:
    """The indexes of this process, by the cache keys of their sources; the least recently used ones are forgotten."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Index] = OrderedDict()

    def find(self, key: str, read: Reader, deadline: Deadline) -> Listed:
        """What the server lists; one thread reads while others wait. Raises DeadlineExceeded.

        A server whose index cannot be read lists what was read before, or nothing, for ten minutes.
        """
        index = self._of(key)
        if index.valid_until > self._clock():
            return index
        if not index.lock.acquire(timeout=min(deadline.remaining(), threading.TIMEOUT_MAX)):
            deadline.check()
        try:
            if index.valid_until <= self._clock():
                self._refresh(index, read, deadline)
        finally:
            index.lock.release()
        self._trim()
        return index

    def forget_of(self, owners: Collection[str]) -> None:
        """Drop the indexes of sources whose cache keys begin with one of these tags; the empty one stands for all."""
        with self._lock:
            for key in [key for key in self._kept if key.startswith(tuple(owners))]:
                del self._kept[key]

    def _refresh(self, index: _Index, read: Reader, deadline: Deadline) -> None:
        try:
            index.refresh(read, deadline)
        except (LookupFailure, FormatError):
            index.valid_until = self._clock() + FAILED_SECONDS
        else:
            index.valid_until = self._clock() + KNOWN_SECONDS

    def _of(self, key: str) -> _Index:
        with self._lock:
            index = self._kept.setdefault(key, _Index())
            self._kept.move_to_end(key)
            return index

    def _trim(self) -> None:
        with self._lock:
            while len(self._kept) > MAX_INDEXES or sum(map(len, self._kept.values())) > MAX_PATHS:
                self._kept.popitem(last=False)


indexes = Indexes()
