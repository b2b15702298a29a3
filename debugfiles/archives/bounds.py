"""What an archive may cost: entries, unpacked bytes, time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.api import ApiError


@dataclass(frozen=True, slots=True)
class Bounds:
    """`entries` counts everything that is listed, `files` what is looked into. `total`: bytes that may be unpacked.

    Beyond `floor` bytes an archive may unpack to `ratio` times its own size. `seconds` is for all of it.
    """

    total: int
    entries: int = 1_000_000
    files: int = 100_000
    ratio: int = 200
    floor: int = 256 << 20
    seconds: float = 1800.0


class ArchiveRefused(ApiError):
    """An archive is not read any further; what was taken of it by then stays."""

    def __init__(self, message: str, code: str = "archive") -> None:
        super().__init__(message, status=400, code=code, field="file")


class Meter:
    """Counts what one archive of `packed` bytes costs. Everything raises ArchiveRefused beyond the bounds."""

    def __init__(self, packed: int, bounds: Bounds) -> None:
        self._bounds = bounds
        self._most = min(bounds.total, max(bounds.floor, bounds.ratio * packed))
        self._until = time.monotonic() + bounds.seconds
        self._bytes = self._entries = self._files = 0

    def __call__(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces, counted."""
        for piece in pieces:
            self._bytes += len(piece)
            if self._bytes > self._most:
                raise ArchiveRefused(f"the archive unpacks to more than {self._most} bytes", "archive_bomb")
            self._check_time()
            yield piece

    def entry(self) -> None:
        """One more entry."""
        self._entries += 1
        if self._entries > self._bounds.entries:
            raise ArchiveRefused(f"the archive has more than {self._bounds.entries} entries", "archive_bomb")
        self._check_time()

    def file(self) -> None:
        """One more file to look into."""
        self._files += 1
        if self._files > self._bounds.files:
            raise ArchiveRefused(f"the archive has more than {self._bounds.files} files to look into", "archive_bomb")

    def _check_time(self) -> None:
        if time.monotonic() > self._until:
            raise ArchiveRefused(f"reading the archive takes more than {self._bounds.seconds:.0f} seconds")
