"""Blobs in a directory. Spool and blobs share a file system, so that a blob appears in one step."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from core.blobs.base import NEVER, PIECE_BYTES, StoredKey, checked_key, checked_room, is_shared
from core.blobs.errors import BlobMissing, explained
from core.blobs.incoming import Incoming
from engine.outgoing import Deadline

SPOOL: Final = "incoming"


class Spool:
    """Files that are coming in, in a directory of this host."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def incoming(self, limit: int, *, sha1: bool = True) -> Iterator[Incoming]:
        """As the stores' `incoming`."""
        path = self._directory / uuid4().hex
        with explained():
            file = self._opened(path)
        incoming = Incoming(path, file, limit, sha1=sha1)
        try:
            yield incoming
        finally:
            # What is still in the buffer was not worth keeping, or `finish` would have been called.
            with suppress(OSError):
                file.close()
            if not incoming.kept:
                path.unlink(missing_ok=True)

    def keep(self, incoming: Incoming, key: str) -> None:
        """As the stores' `keep`, which is theirs."""
        raise NotImplementedError

    def keep_all(self, arrivals: Sequence[tuple[Incoming, str]]) -> None:
        """As the stores' `keep_all`: one after another."""
        for incoming, key in arrivals:
            self.keep(incoming, key)

    def _opened(self, path: Path) -> BinaryIO:
        try:
            return open(path, "xb")
        except FileNotFoundError:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return open(path, "xb")

    def sweep(self, older_than: float) -> int:
        """As the stores' `sweep`."""
        count = 0
        for path in self._directory.glob("*") if self._directory.is_dir() else ():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < older_than:
                    path.unlink()
                    count += 1
        return count


class LocalStore(Spool):
    """Blobs below `root`, which only this service writes to."""

    def __init__(self, root: Path) -> None:
        super().__init__(root / SPOOL)
        self._root = root

    def keep(self, incoming: Incoming, key: str) -> None:
        """As the interface says: synced, renamed, and the directories above it synced too."""
        target = self._path(key)
        with explained():
            incoming.finish()
            if is_shared(key):
                # Whoever finds it there may refer to it at once.
                incoming.sync()
                _sync_all(_moved(incoming, target))
                return
            changed = _moved(incoming, target)
            try:
                # Behind the renaming: file systems with a journal write both at once, so that the directory's turn
                # costs next to nothing.
                incoming.sync()
                _sync_all(changed)
            except BaseException:
                target.unlink(missing_ok=True)
                raise

    def keep_all(self, arrivals: Sequence[tuple[Incoming, str]]) -> None:
        """As the interface says. The directories are synced behind all files, so that most of them wait for nothing."""
        with explained():
            for incoming, _ in arrivals:
                incoming.finish()
                incoming.sync()
            changed = [path for incoming, key in arrivals for path in _moved(incoming, self._path(key))]
            _sync_all(list(dict.fromkeys(changed)))

    def pieces(self, key: str, start: int = 0, size: int | None = None, deadline: Deadline = NEVER) -> Iterator[bytes]:
        """As the interface says."""
        try:
            with explained(), open(self._path(key), "rb") as file:
                file.seek(start)
                left = float("inf") if size is None else size
                while left > 0 and (piece := file.read(int(min(PIECE_BYTES, left)))):
                    deadline.check()
                    yield piece
                    left -= len(piece)
        except FileNotFoundError:
            raise BlobMissing() from None

    def size(self, key: str) -> int:
        """As the interface says."""
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            raise BlobMissing() from None

    def exists(self, key: str) -> bool:
        """As the interface says."""
        return self._path(key).is_file()

    def delete(self, key: str) -> None:
        """As the interface says."""
        with explained():
            self._path(key).unlink(missing_ok=True)

    def local_path(self, key: str) -> Path | None:
        """As the interface says."""
        path = self._path(key)
        if not path.is_file():
            raise BlobMissing()
        return path

    def keys(self, room: str, after: str = "") -> Iterator[StoredKey]:
        """As the interface says; one directory at a time is in memory."""
        return _walk(self._root / checked_room(room), f"{room}/", after)

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)


def _walk(directory: Path, prefix: str, after: str) -> Iterator[StoredKey]:
    """The files below a directory whose keys begin with `prefix`, in the order of keys."""
    try:
        with explained(), os.scandir(directory) as entries:
            names = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
    except FileNotFoundError:
        return
    for name in names:
        key = prefix + name
        if name.endswith("/"):
            # Everything in there begins with the key: it lies behind `after`, or `after` lies in it.
            if key > after or after.startswith(key):
                yield from _walk(directory / name, key, after)
        elif key > after:
            with suppress(FileNotFoundError), explained():
                yield StoredKey(key, (directory / name).stat().st_mtime)


def _moved(incoming: Incoming, target: Path) -> list[Path]:
    """Give what came in its name; the directories whose lists of names changed by that."""
    made = _made_directories(target.parent)
    os.replace(incoming.path, target)
    incoming.kept = True
    return [target.parent, *made]


def _made_directories(directory: Path) -> list[Path]:
    """Make `directory`; the ones whose lists of names changed by that."""
    if directory.is_dir():
        return []
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [path.parent for path in missing]


def _sync_all(directories: list[Path]) -> None:
    for directory in directories:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
