"""What the keeper of a cache directory found there last, in a file beside the cache. Imports no Django."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = "keeper.json"


class Report(msgspec.Struct, frozen=True):
    """`at` is in seconds since the epoch; files and bytes as they lie on the disk."""

    at: float
    files: int
    bytes: int
    most_bytes: int


def write(root: Path, report: Report) -> None:
    """Replace the file in one step. Raises OSError."""
    temporary = root / f".{FILE}.{os.getpid()}"
    temporary.write_bytes(msgspec.json.encode(report))
    temporary.replace(root / FILE)


def read(root: Path) -> Report | None:
    """None before the first pass, and for what is no such file."""
    try:
        return msgspec.json.decode((root / FILE).read_bytes(), type=Report)
    except (OSError, msgspec.DecodeError):
        return None
