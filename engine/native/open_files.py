"""Cached files that a process keeps open, mapped into memory."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

Opened = TypeVar("Opened")
_SWEEP_SECONDS = 10.0


class _Entry(NamedTuple, Generic[Opened]):
    file: Opened
    path: Path
    number: int


class OpenFiles(Generic[Opened]):
    """At most `limit` open files by the identity of their content, the least lately used one closed first.

    A file that was removed from the cache takes its room on the disk as long as it is open: such files are closed
    within seconds of the next that is opened. Safe to use from several threads; whoever holds a file keeps it open.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        self._open: OrderedDict[str, _Entry[Opened]] = OrderedDict()
        self._swept = time.monotonic()

    def get(self, identity: str, path: Path, opened: Callable[[], Opened]) -> Opened:
        """The file with this content, `opened` from `path` if need be. Raises what that raises."""
        with self._lock:
            found = self._open.get(identity)
            if found is not None:
                self._open.move_to_end(identity)
                return found.file
        number = _number(path)
        file = opened()
        self._sweep()
        with self._lock:
            self._open[identity] = _Entry(file, path, number)
            if len(self._open) > self._limit:
                self._open.popitem(last=False)
        return file

    def __len__(self) -> int:
        return len(self._open)

    def _sweep(self) -> None:
        """Close what is not in the cache any more."""
        with self._lock:
            if time.monotonic() - self._swept < _SWEEP_SECONDS:
                return
            self._swept = time.monotonic()
            entries = list(self._open.items())
        gone = [identity for identity, entry in entries if _number(entry.path) != entry.number]
        with self._lock:
            for identity in gone:
                self._open.pop(identity, None)


def _number(path: Path) -> int:
    """What tells a file from another one of the same name; 0 when there is none."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
