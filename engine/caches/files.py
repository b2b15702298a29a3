"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# Files that are being written; what is left of them after a crash is swept by age.
TEMPORARY_PREFIX = ".tmp-"
TOUCH_SECONDS = 3600.0


def temporary_path(beside: Path) -> Path:
    """A fresh path in the same directory, so that renaming to `beside` is one step."""
    return beside.parent / f"{TEMPORARY_PREFIX}{os.getpid()}-{secrets.token_hex(6)}"


@contextmanager
def temporary_file(beside: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A file to write and read in the directory of `beside` (made if need be), gone at the end unless renamed."""
    beside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = temporary_path(beside)
    try:
        with open(path, "x+b") as file:
            yield file, path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def publish(temporary: Path, target: Path) -> None:
    """Make a finished temporary file appear under its name, its content on disk first."""
    descriptor = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(temporary, target)


def write_small(target: Path, content: bytes) -> None:
    """Replace a small file in one step."""
    with temporary_file(target) as (file, path):
        file.write(content)
        file.flush()
        publish(path, target)


def keep_alive(path: Path | str, modified: float) -> None:
    """Mark a file as used, at most once an hour; `modified` is its time of modification in seconds."""
    if time.time() - modified > TOUCH_SECONDS:
        with suppress(OSError):
            os.utime(path)
