"""What was purged lately, in a file that every process of the host reads before it believes what it remembers.

Asking whether something was purged costs one look at the file's state, so purging takes effect with the very next
request of every process. The file names selections and times: whatever was begun before and fits counts as unknown,
also when it was still under way at the time of the purge.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from engine.caches.files import write_small
from engine.caches.labels import Labels, Selection
from engine.owners import OWNER_DIGITS

PURGES_FILE = "purges.json"
LOCK_FILE = "purges.lock"
# Longer than any request lasts and than any process believes its memory.
REMEMBERED_SECONDS = 7200.0


class Purge(msgspec.Struct, frozen=True):
    """What was purged, and when (seconds since the epoch)."""

    selection: Selection
    at: float


# Time of modification (ns), inode and size.
_State = tuple[int, int, int]
_ABSENT: _State = (0, 0, 0)
_decoder = msgspec.json.Decoder(list[Purge])


class Purges:
    """The purges of one cache directory. Safe to use from several threads.

    `forget` is told whose files were purged (tags; the empty one stands for everybody), for what a process remembers
    beside the files.
    """

    def __init__(self, root: Path, forget: Callable[[Collection[str]], None] | None = None) -> None:
        self._path = str(root / PURGES_FILE)
        self._forget = forget
        self._lock_path = root / LOCK_FILE
        # Replaced as a whole, so that readers need no lock.
        self._seen: tuple[_State, tuple[Purge, ...], Mapping[str, float]] = (_ABSENT, (), {})

    def latest(self) -> Mapping[str, float]:
        """When something of each owner (by its tag; empty: of everybody) was purged last; mostly empty."""
        return self._read()[2]

    def token(self, source_keys: Sequence[str]) -> str:
        """A text that changes whenever something of these sources (by cache key) is purged; empty if nothing was."""
        latest = self.latest()
        if not latest:
            return ""
        # The caller has the keys in their order, so times alone tell states apart.
        times = [latest.get(""), *[latest.get(key[:OWNER_DIGITS]) for key in source_keys]]
        return repr(times) if any(times) else ""

    def cover(self, labels: Labels, created: float) -> bool:
        """Whether what was begun at `created` has been purged since."""
        return self.cover_any((labels,), created)

    def cover_any(self, labels: Sequence[Labels], created: float) -> bool:
        """Whether any part of what was begun at `created` has been purged since."""
        return any(
            created <= purge.at and (purge.selection.everything or any(map(purge.selection.matches, labels)))
            for purge in self._read()[1]
        )

    def add(self, selection: Selection) -> float:
        """Note a purge, effective at once; gives its time."""
        with self._exclusive():
            now = time.time()
            kept = [purge for purge in self._read()[1] if purge.at > now - REMEMBERED_SECONDS]
            write_small(Path(self._path), msgspec.json.encode([*kept, Purge(selection, now)]), durable=True)
        return now

    def _read(self) -> tuple[_State, tuple[Purge, ...], Mapping[str, float]]:
        state = _state(self._path)
        seen = self._seen
        if seen[0] != state:
            purges = _load(self._path)
            before, seen = seen[2], (state, purges, _latest(purges))
            self._seen = seen
            owners = [owner for owner, at in seen[2].items() if before.get(owner) != at]
            if self._forget is not None and owners:
                self._forget(owners)
        return seen

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        self._lock_path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._lock_path, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _state(path: str) -> _State:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return _ABSENT
    return status.st_mtime_ns, status.st_ino, status.st_size


def _load(path: str) -> tuple[Purge, ...]:
    try:
        with open(path, "rb") as file:
            return tuple(_decoder.decode(file.read()))
    except FileNotFoundError:
        return ()
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Somebody damaged it: nobody can tell what was purged, so everything was.
        return (Purge(Selection(), time.time()),)


def _latest(purges: tuple[Purge, ...]) -> dict[str, float]:
    return {purge.selection.owner: purge.at for purge in purges}
