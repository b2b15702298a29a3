"""A file for parsers that want one: the same file each time, in memory where the system has such a place."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it


def on_disk(data: bytes, name: str = "input") -> Path:
    """A file that holds `data` until the next call."""
    path = _directory() / name
    path.write_bytes(data)
    return path


@cache
def _directory() -> Path:
    made = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
