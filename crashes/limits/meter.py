"""Who sends how fast, counted for all processes of this host in one small file.

Of each sender there is the moment at which it will have earned back all that it used: a request moves it on by its
share of a minute, and is refused when that would be more than a minute ahead. So a sender may send a minute's worth at
once and then one for each share. Moments are of the host's monotonic clock: setting the clock changes nothing, and what
is left of the time before a reboot lies too far ahead to be believed.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Final

PERIOD: Final = 60.0
# Whose place it is, and the moment.
_PLACE: Final = struct.Struct("<8sd")
# Places that a sender may take: the first of its own, a free one, or the one that was idle longest.
_WAYS: Final = 8


class Meter:
    """The meter of this process. Safe to use from several threads; one process has one object for one file."""

    def __init__(self, path: Path, groups: int = 4_096) -> None:
        """`path` is a file on a disk of this host, made when absent; it takes 128 bytes for each of the `groups`."""
        self._groups = groups
        self._mutex = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        size = groups * _WAYS * _PLACE.size
        if os.fstat(self._file).st_size != size:
            os.ftruncate(self._file, size)
        self._memory = mmap.mmap(self._file, size)

    def take(self, key: str, per_minute: int, now: float | None = None) -> float:
        """Seconds until one more of `key` is allowed, none of which is counted then; 0 when it was counted."""
        digest = blake2b(key.encode(), digest_size=8).digest()
        moment = time.monotonic() if now is None else now
        with self._locked(int.from_bytes(digest) % self._groups) as start:
            at, earned = self._place(digest, start, moment)
            ahead = earned - moment + PERIOD / per_minute
            # A little more than a minute, so that rounding takes nobody's last one.
            if ahead > PERIOD + 1e-6:
                return ahead - PERIOD
            _PLACE.pack_into(self._memory, at, digest, moment + ahead)
            return 0.0

    def _place(self, digest: bytes, start: int, now: float) -> tuple[int, float]:
        """Where `digest` is counted, and the moment at which it has earned everything back: now, at the earliest."""
        places = [start + way * _PLACE.size for way in range(_WAYS)]
        idle = []
        for at in places:
            whose, earned = _PLACE.unpack_from(self._memory, at)
            believed = earned if earned <= now + 2 * PERIOD else 0.0
            if whose == digest:
                return at, max(believed, now)
            idle.append((believed, at))
        return min(idle)[1], now

    @contextmanager
    def _locked(self, group: int) -> Iterator[int]:
        """Nobody else counts in the group meanwhile; where it begins."""
        size = _WAYS * _PLACE.size
        with self._mutex:
            fcntl.lockf(self._file, fcntl.LOCK_EX, size, group * size)
            try:
                yield group * size
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, size, group * size)
