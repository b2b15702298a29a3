"""The files that words of the command line stand for."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP: Final = 1024


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A file of `size` bytes; `named` when it stands on the command line itself, and not its directory."""

    path: Path
    size: int
    named: bool


def walk(words: Sequence[str]) -> tuple[list[OnDisk], list[str]]:
    """The regular files, those of directories by name, and what to say of words that stand for none."""
    files: list[OnDisk] = []
    problems: list[str] = []
    for word in words:
        try:
            files += _below(Path(word))
        except OSError as error:
            problems.append(f"{word}: {error.strerror}")
    return files, problems


def sized(count: float) -> str:
    """A number of bytes for people."""
    for unit in _UNITS[:-1]:
        if count < _STEP:
            return f"{count:.0f} {unit}" if unit == _UNITS[0] else f"{count:.1f} {unit}"
        count /= _STEP
    return f"{count:.1f} {_UNITS[-1]}"


def _below(path: Path) -> Iterator[OnDisk]:
    found = path.stat()
    if not stat.S_ISDIR(found.st_mode):
        # Whether it can be read is known before anything is done with it.
        with path.open("rb"):
            yield OnDisk(path, found.st_size, named=True)
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            inner = Path(folder, name)
            if inner.is_file() and os.access(inner, os.R_OK):
                yield OnDisk(inner, inner.stat().st_size, named=False)
