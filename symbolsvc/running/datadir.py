"""The data directory: who works in it, and where its database is."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from symbolsvc.environment import ConfigurationError

LOCATOR: Final = "database.json"
# sun_path holds 108 bytes; some space is left for the socket's name.
_LONGEST_SOCKET_DIRECTORY: Final = 80


class Lock:
    """A lock on a file, held as long as this object's process lives, at most."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self, *, shared: bool = False, wait: bool = False) -> bool:
        """Whether the lock could be taken; with `wait` it always can, in the end. Taking it again changes its kind."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        operation = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        try:
            fcntl.flock(self._descriptor, operation)
        except BlockingIOError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True, slots=True)
class Locator:
    """Where a data directory's database is: `place` holds its files, `sockets` its socket."""

    place: str
    sockets: str


class DataDirectory:
    """A data directory, made when it is not there.

    Raises ConfigurationError when that is impossible.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"{self.path}: cannot be made: {error.strerror}") from None
        # `running`: whoever runs the database. `using`: commands that another command's database must outlive.
        self.running = Lock(self.path / "running.lock")
        self.using = Lock(self.path / "using.lock")

    @property
    def digest(self) -> str:
        """A short name for this directory: 16 hex digits."""
        return hashlib.sha256(os.fsencode(os.path.realpath(self.path))).hexdigest()[:16]

    def locator(self) -> Locator | None:
        """Where the database is; None when there is none yet."""
        try:
            return Locator(**json.loads((self.path / LOCATOR).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise ConfigurationError(f"{self.path / LOCATOR}: damaged") from None

    def write_locator(self, locator: Locator) -> None:
        """Say where the database is, in one step."""
        temporary = self.path / f".{LOCATOR}-{os.getpid()}"
        temporary.write_text(json.dumps(asdict(locator)), encoding="utf-8")
        os.replace(temporary, self.path / LOCATOR)

    def socket_directory(self, preferred: Path, before: str | None = None) -> Path:
        """A private directory for sockets, whose path is short enough for one.

        `preferred` if it is short; else the one of `before` if it is still there and ours; else a new one.
        """
        if len(os.fsencode(preferred)) <= _LONGEST_SOCKET_DIRECTORY:
            preferred.mkdir(mode=0o700, parents=True, exist_ok=True)
            return preferred
        if before is not None and _is_ours(Path(before)):
            return Path(before)
        return Path(tempfile.mkdtemp(prefix="symbolsvc-", dir="/tmp"))  # noqa: S108 - private, and the path must be short


def _is_ours(directory: Path) -> bool:
    try:
        facts = directory.lstat()
    except OSError:
        return False
    return directory.is_dir() and facts.st_uid == os.geteuid() and facts.st_mode & 0o077 == 0
