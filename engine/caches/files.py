"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import itertools
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# Files that are being written; what is left of them after a crash is swept by age.
TEMPORARY_PREFIX = ".tmp-"
# A small cache is filled anew within minutes: what is used must look younger than what came since.
TOUCH_SECONDS = 30.0


# Makes names that no process and no fork of one has used.
_token = secrets.token_hex(6)
_numbers = itertools.count()


def temporary_path(beside: Path) -> Path:
    """A fresh path in the same directory, so that renaming to `beside` is one step."""
    return beside.parent / f"{TEMPORARY_PREFIX}{os.getpid()}-{_token}-{next(_numbers)}"


@contextmanager
def temporary_file(beside: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A file to write and read in the directory of `beside` (made if need be), gone at the end unless renamed."""
    path = temporary_path(beside)
    try:
        with _made(path) as file:
            yield file, path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def publish(temporary: Path, target: Path) -> None:
    """Make a finished temporary file appear under its name.

    Nothing waits for the disk: what a power failure damages is noticed by whoever reads it, and made again.
    """
    os.replace(temporary, target)


def write_small(target: Path, content: bytes, *, durable: bool = False) -> None:
    """Replace a small file in one step; a `durable` one is on the disk when this returns."""
    temporary = temporary_path(target)
    descriptor = _opened(str(temporary))
    try:
        try:
            if os.write(descriptor, content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


def keep_alive(path: Path | str, modified: float) -> None:
    """Mark a file as used, at most every half minute; `modified` is its time of modification in seconds."""
    if time.time() - modified > TOUCH_SECONDS:
        with suppress(OSError):
            os.utime(path)


class Draft:
    """A file beside another that is made when something is first written, and gone at the end unless it was published.

    Stands for a file that is open for writing and reading. Most places have no file, and then none is made here.
    """

    def __init__(self, beside: Path) -> None:
        self.path = temporary_path(beside)
        self._file: BinaryIO | None = None

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            with suppress(FileNotFoundError):
                self.path.unlink()

    @property
    def file(self) -> BinaryIO:
        """The file, made if need be."""
        if self._file is None:
            self._file = _made(self.path)
        return self._file

    def write(self, data: bytes) -> int:
        return self.file.write(data)

    def tell(self) -> int:
        return self._file.tell() if self._file else 0

    def seek(self, offset: int) -> int:
        return self.file.seek(offset) if self._file or offset else 0

    def truncate(self) -> int:
        return self._file.truncate() if self._file else 0


def _made(path: Path) -> BinaryIO:
    return open(_opened(str(path)), "r+b")


def _opened(path: str) -> int:
    """A descriptor of a new file, whose directory is made if need be."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o666)
    except FileNotFoundError:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, flags, 0o666)
