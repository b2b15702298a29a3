"""The process that keeps the cache directory of this host within its limits.

A process of its own: looking at half a million files takes seconds of computing, which requests should not wait for.
Every host has its own cache directory and its own keeper; of several on one directory, one works.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine.caches import Limits, Tidied, default_limit, tidy
from symbolsvc import environment
from symbolsvc.running import cache_report

LOCK_FILE: Final = "keeper.lock"
WATCH_SECONDS: Final = 1.0
# A pass at least this often, and never more than a twentieth of the time.
PASS_SECONDS: Final = 60.0
_REST: Final = 20.0
# How much of the limit the disk may lose before that, until a pass is made at once.
_ALARM_SHARE: Final = 0.02


def run() -> None:
    """Run until told to stop. Raises ConfigurationError."""
    values = environment.read()
    root = environment.cache_dir(values)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    keeper = Keeper(root, limits_of(values, root))
    while True:
        keeper.step()
        time.sleep(WATCH_SECONDS)


def limits_of(values: dict[str, Any], root: Path) -> Limits:
    """The limits that the settings give to the cache directory `root`."""
    return Limits(
        max_bytes=values["CACHE_MAX_BYTES"] or default_limit(root),
        downloaded_seconds=values["CACHE_DOWNLOADED_SECONDS"],
        derived_seconds=values["CACHE_DERIVED_SECONDS"],
    )


@dataclass
class Keeper:
    """Tidies a cache directory when it is time to, or when the disk fills up."""

    root: Path
    limits: Limits
    next_pass: float = 0.0
    free_bytes: int = 0
    _lock: int = field(default=-1, repr=False)

    def step(self) -> Tidied | None:
        """Make a pass if one is due; what it did. Trouble with the disk is told, and it is tried again."""
        try:
            if not self._is_mine() or not self._is_due():
                return None
            return self._pass()
        except OSError as error:
            _log(f"the cache directory cannot be tidied: {error}")
            self.next_pass = time.monotonic() + PASS_SECONDS
            return None

    def _pass(self) -> Tidied:
        began = time.monotonic()
        done = tidy(self.root, self.limits)
        ended = time.monotonic()
        self.next_pass = ended + max(PASS_SECONDS, _REST * (ended - began))
        self.free_bytes = _free(self.root)
        cache_report.write(
            self.root, cache_report.Report(time.time(), done.kept_files, done.kept_bytes, self.limits.max_bytes)
        )
        if done.removed_files:
            _log(
                f"removed {done.removed_files} files of {done.removed_bytes} bytes from the cache;"
                f" {done.kept_files} of {done.kept_bytes} bytes are left of {self.limits.max_bytes}"
            )
        return done

    def _is_due(self) -> bool:
        lost = self.free_bytes - _free(self.root)
        return time.monotonic() >= self.next_pass or lost > self.limits.max_bytes * _ALARM_SHARE

    def _is_mine(self) -> bool:
        """Whether this process is the one that keeps the directory, from its first success to its end."""
        if self._lock >= 0:
            return True
        descriptor = os.open(self.root / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True


def _free(root: Path) -> int:
    status = os.statvfs(root)
    return status.f_bavail * status.f_frsize


def _log(event: str) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    sys.stderr.write(f"{stamp} [cache] {event}\n")
    sys.stderr.flush()
