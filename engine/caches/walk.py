"""What lies in a cache directory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.caches.files import TEMPORARY_PREFIX
from engine.caches.shelf import LOCK_SUFFIX, RECORD_SUFFIX

_BLOCK_BYTES = 512
_BRANCH = re.compile(r"\A[0-9a-f]{2}\Z")


@dataclass(frozen=True, slots=True)
class Found:
    """One file of a shelf. `size` is what it takes on the disk, in bytes."""

    kind: str
    path: str
    modified: float
    size: int

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    @property
    def temporary(self) -> bool:
        """Whether it is being written, or was when its process was killed."""
        return self.name.startswith(TEMPORARY_PREFIX)

    @property
    def lock(self) -> bool:
        return self.name.endswith(LOCK_SUFFIX)

    @property
    def record(self) -> bool:
        return self.name.endswith(RECORD_SUFFIX)


def walk(root: Path) -> Iterator[Found]:
    """Every file that lies where shelves put theirs. Other files of the directory are none of a cache's business."""
    for kind in _directories(str(root)):
        for version in _directories(kind.path):
            for branch in _directories(version.path):
                if _BRANCH.match(branch.name):
                    yield from _files(kind.name, branch.path)


def _directories(path: str) -> list[os.DirEntry[str]]:
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(path) as entries:
        return [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    return []


def _files(kind: str, path: str) -> Iterator[Found]:
    with suppress(FileNotFoundError), os.scandir(path) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.is_dir(follow_symlinks=False):
                    continue
                status = entry.stat(follow_symlinks=False)
                yield Found(kind, entry.path, status.st_mtime, status.st_blocks * _BLOCK_BYTES)
