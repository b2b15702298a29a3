"""Keeping a cache within its limits of age and size."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.caches.files import TEMPORARY_PREFIX
from engine.caches.shelf import LOCK_SUFFIX

# Longer than any download or conversion takes.
ABANDONED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Tidied:
    """What a pass removed and left, in files and bytes."""

    removed_files: int
    removed_bytes: int
    kept_files: int
    kept_bytes: int


@dataclass(frozen=True, slots=True)
class _File:
    modified: float
    size: int
    path: str


def tidy(root: Path, *, max_age_seconds: float, max_bytes: int) -> Tidied:
    """Remove abandoned temporary files, files unused for `max_age_seconds`, and then the least recently used ones.

    Readers that have a removed file open keep it; all others find it absent and make it again.
    """
    now = time.time()
    files = sorted(_files(root), key=lambda file: file.modified)
    kept_bytes = sum(file.size for file in files)
    kept_files = len(files)
    removed_files = removed_bytes = 0
    for file in files:
        limit = ABANDONED_SECONDS if os.path.basename(file.path).startswith(TEMPORARY_PREFIX) else max_age_seconds
        if now - file.modified <= limit and kept_bytes <= max_bytes:
            continue
        if _remove(file.path):
            removed_files, removed_bytes = removed_files + 1, removed_bytes + file.size
            kept_files, kept_bytes = kept_files - 1, kept_bytes - file.size
    return Tidied(removed_files, removed_bytes, kept_files, kept_bytes)


def _files(root: Path) -> Iterator[_File]:
    for directory, _, names in os.walk(root):
        for name in names:
            if name.endswith(LOCK_SUFFIX):
                continue
            path = os.path.join(directory, name)
            with suppress(FileNotFoundError):
                status = os.stat(path, follow_symlinks=False)
                yield _File(status.st_mtime, status.st_size, path)


def _remove(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True
