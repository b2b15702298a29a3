"""How many symbolications are in flight on this host, over all of its processes.

Slot *i* is byte *i* of one file, taken by locking it (`fcntl`). The kernel frees the locks of a process that dies,
however it dies, so the count can neither leak nor be exceeded, and taking a free slot costs one system call.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

# What is handed out when there is no limit.
UNCOUNTED: Final = -1
# Spreads processes with neighbouring ids over the file, so that each finds a free byte at its first try.
_SPREAD: Final = 2_654_435_761


class Slots:
    """The slots of this process. Safe to use from several threads.

    Locks belong to a process and vanish when it closes the file, anywhere: one process has one object for one file.
    """

    def __init__(self, path: Path, limit: int | None) -> None:
        """`path` is a file on a disk of this host, made when absent; `limit` is the number of slots, None for any."""
        self.limit = limit
        self._mutex = threading.Lock()
        self._held: set[int] = set()
        if limit is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._next = os.getpid() * _SPREAD % limit

    def take(self) -> int | None:
        """A slot to give back with `free`, or None when all are taken."""
        if self.limit is None:
            return UNCOUNTED
        with self._mutex:
            for slot in self._candidates(self.limit):
                if self._lock(slot):
                    self._held.add(slot)
                    return slot
        return None

    def free(self, slot: int) -> None:
        """Give back what `take` handed out; from any thread of the process."""
        if slot == UNCOUNTED:
            return
        with self._mutex:
            # Unlocked first: in between, nobody in this process may take the byte for free and lose it again.
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, slot)
            self._held.discard(slot)
            self._next = slot

    @property
    def held(self) -> int:
        """How many slots this process holds now."""
        return len(self._held)

    def _candidates(self, limit: int) -> Iterator[int]:
        """What this process does not hold (its own locks would be granted again), beginning where one was free last."""
        return (slot for slot in chain(range(self._next, limit), range(self._next)) if slot not in self._held)

    def _lock(self, slot: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
        except OSError:
            return False
        return True
