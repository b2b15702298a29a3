"""One worker per file, across threads and processes."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from engine.outgoing import Deadline

FIRST_PAUSE_SECONDS = 0.002
LONGEST_PAUSE_SECONDS = 0.05


@dataclass(slots=True)
class _Waiters:
    lock: threading.Lock = field(default_factory=threading.Lock)
    count: int = 0


_guard = threading.Lock()
_waiters: dict[str, _Waiters] = {}


@contextmanager
def exclusive(path: Path, deadline: Deadline) -> Iterator[None]:
    """Hold the lock file `path` (its directory is made if need be), waiting no longer than the deadline.

    Dies with its process: nothing has to be cleaned up after a kill. Raises DeadlineExceeded.
    """
    with _among_threads(str(path), deadline):
        descriptor = _among_processes(path, deadline)
        try:
            yield
        finally:
            # Removed while still held: whoever has it open notices that it is gone and opens the next one.
            with suppress(FileNotFoundError):
                os.unlink(path)
            os.close(descriptor)


@contextmanager
def _among_threads(name: str, deadline: Deadline) -> Iterator[None]:
    with _guard:
        waiters = _waiters.setdefault(name, _Waiters())
        waiters.count += 1
    try:
        if not waiters.lock.acquire(timeout=min(deadline.remaining(), threading.TIMEOUT_MAX)):
            deadline.check()
        try:
            yield
        finally:
            waiters.lock.release()
    finally:
        with _guard:
            waiters.count -= 1
            if not waiters.count:
                del _waiters[name]


def _among_processes(path: Path, deadline: Deadline) -> int:
    pause = FIRST_PAUSE_SECONDS
    while True:
        descriptor = _try_lock(path)
        if descriptor is not None:
            return descriptor
        deadline.check()
        time.sleep(min(pause, deadline.remaining()))
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _try_lock(path: Path) -> int | None:
    """The locked descriptor; None when another has it, or had it until just now and removed the file."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink:
            return descriptor
    except BlockingIOError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, flags, 0o600)


def _forget_waiters() -> None:
    """Threads that held locks do not exist in a forked child."""
    global _guard
    _guard = threading.Lock()
    _waiters.clear()


os.register_at_fork(after_in_child=_forget_waiters)
