"""Files in a directory of this host."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from engine.errors import FailureKind, LookupFailure
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import Location, Opening
from engine.sourcetypes.config import FilesystemConfig
from engine.sourcetypes.files import FilesSource

CHUNK_BYTES = 1 << 20
_PLAIN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP})


class FilesystemSource(FilesSource):
    """Opens files below one directory and nowhere else."""

    def __init__(self, config: FilesystemConfig, opening: Opening) -> None:
        super().__init__(config, opening)
        self._root = config.path

    def show(self, path: str) -> str:
        return f"file://{self._root.rstrip('/')}/{path}"

    def fetch(self, location: Location, wanted: Wanted, target: BinaryIO, deadline: Deadline) -> None:
        """Copy the file to `target`. Raises LookupFailure (not found, refused) or DeadlineExceeded."""
        try:
            descriptor = _open_below(self._root, location.path)
        except OSError as error:
            raise _explain(error) from None
        except UnicodeEncodeError:
            raise LookupFailure(FailureKind.NOT_FOUND) from None
        with open(descriptor, "rb") as file:
            _copy(file, target, deadline)


def _open_below(root: str, path: str) -> int:
    """Open a plain file, walking from the root by names that are no links, so that nothing can be put in between."""
    real_root = os.path.realpath(root, strict=True)
    real = Path(os.path.realpath(os.path.join(real_root, *_segments(path)), strict=True))
    if not real.is_relative_to(real_root):
        raise LookupFailure(FailureKind.REFUSED, "the file lies outside of the directory")
    descriptor = os.open(real_root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    names = real.relative_to(real_root).parts
    for number, name in enumerate(names):
        flags = _PLAIN if number == len(names) - 1 else _PLAIN | os.O_DIRECTORY
        try:
            following = os.open(name, flags, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = following
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise LookupFailure(FailureKind.NOT_FOUND)
    return descriptor


def _segments(path: str) -> list[str]:
    """The names on the way; a path that climbs or holds what no name can is not followed."""
    segments = [segment for segment in path.split("/") if segment]
    if not segments or any(segment in (".", "..") or "\0" in segment for segment in segments):
        raise LookupFailure(FailureKind.REFUSED, "the file lies outside of the directory")
    return segments


def _explain(error: OSError) -> LookupFailure:
    if error.errno in (errno.EACCES, errno.EPERM):
        return LookupFailure(FailureKind.REFUSED, "the service may not read this file")
    if error.errno in _ABSENT:
        return LookupFailure(FailureKind.NOT_FOUND)
    return LookupFailure(FailureKind.UNREACHABLE, f"download failed: {error.strerror}")


def _copy(file: BinaryIO, target: BinaryIO, deadline: Deadline) -> None:
    while chunk := file.read(CHUNK_BYTES):
        deadline.check()
        target.write(chunk)
