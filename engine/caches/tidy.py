"""Keeping a cache within its limits of age and size."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from engine.caches.shelf import RECORD_SUFFIX
from engine.caches.walk import Found, walk

# Longer than any download or conversion takes: what is being written is never removed.
ABANDONED_SECONDS = 3600.0
LOCK_SECONDS = 86_400.0
# Kinds whose files can be fetched again; all others were made from them.
DOWNLOADED = frozenset({"objects", "auxiliary", "sourcefiles"})
# Above the first share of the limit files are removed until the second is reached: what comes in until the next pass
# has room.
HIGH_SHARE = 0.9
LOW_SHARE = 0.8

GIB = 1024**3
DEFAULT_BYTES = 50 * GIB
DEFAULT_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a cache may hold, in bytes on the disk, and how long files stay that nobody uses, in seconds."""

    max_bytes: int
    downloaded_seconds: float
    derived_seconds: float

    def age(self, file: Found) -> float:
        """How long this file may lie unused. Records are small and know what was found: they stay longer."""
        if file.temporary:
            return ABANDONED_SECONDS
        if file.lock:
            return LOCK_SECONDS
        downloaded = file.kind in DOWNLOADED and not file.record
        return self.downloaded_seconds if downloaded else self.derived_seconds


@dataclass(frozen=True, slots=True)
class Tidied:
    """What a pass removed and left, in files and bytes."""

    removed_files: int
    removed_bytes: int
    kept_files: int
    kept_bytes: int


def default_limit(root: Path) -> int:
    """The limit where none is set: a fifth of the disk, and 50 GiB at most. `root` or a parent of it must exist."""
    place = next(path for path in (root, *root.absolute().parents) if path.exists())
    status = os.statvfs(place)
    return min(DEFAULT_BYTES, int(status.f_frsize * status.f_blocks * DEFAULT_SHARE))


def tidy(root: Path, limits: Limits) -> Tidied:
    """Remove what is too old, and then what was used least recently if the rest is too large.

    Files that are being written stay, whatever they take. Readers that have a removed file open keep it; all others
    find it absent and make it again.
    """
    now = time.time()
    files = list(walk(root))
    # A file is as young as its record, which is marked instead of it.
    marked = {file.path.removesuffix(RECORD_SUFFIX): file.modified for file in files if file.record}
    used = {file.path: max(file.modified, marked.get(file.path, 0.0)) for file in files}
    files.sort(key=lambda file: used[file.path])
    kept = sum(file.size for file in files)
    goal = limits.max_bytes * (LOW_SHARE if kept > limits.max_bytes * HIGH_SHARE else 1.0)
    removed = [0, 0]
    for file in files:
        old = now - used[file.path] > limits.age(file)
        if (old or (kept > goal and not file.temporary and not file.lock)) and _remove(file.path):
            kept -= file.size
            removed[0] += 1
            removed[1] += file.size
    return Tidied(removed[0], removed[1], len(files) - removed[0], kept)


def _remove(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True
