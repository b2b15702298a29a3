"""What every store can do, and how keys look."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from core.blobs.incoming import Incoming
from engine.outgoing import Deadline

PIECE_BYTES: Final = 1 << 20
NEVER: Final = Deadline.never()
_KEY: Final = re.compile(r"(?!.*//)[a-z0-9][a-z0-9/_-]{0,199}")
_ROOM: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key with a blob, and when that was last written (seconds since the epoch, by the store's own clock)."""

    key: str
    modified: float


class BlobStore(Protocol):
    """Content under keys. Sizes have 64 bits, nothing is in memory as a whole. Safe to use from several threads."""

    def incoming(self, limit: int, *, sha1: bool = True) -> AbstractContextManager[Incoming]:
        """A new spool file of at most `limit` bytes, removed at the end unless it was kept. Raises StoreFull.

        `sha1`: whether its SHA-1 will be of use.
        """
        ...

    def keep(self, incoming: Incoming, key: str) -> None:
        """Store what came in under `key` in one step, durably; what was there is replaced.

        Raises StoreFull or StoreUnavailable.
        """
        ...

    def keep_all(self, arrivals: Sequence[tuple[Incoming, str]]) -> None:
        """As `keep`, of several contents under keys of their own; where it fails some of them may be there."""
        ...

    def pieces(self, key: str, start: int = 0, size: int | None = None, deadline: Deadline = NEVER) -> Iterator[bytes]:
        """The content from `start` on, `size` bytes of it or all; less where it ends earlier.

        Raises BlobMissing and StoreUnavailable, both before the first piece where they are known by then, and
        DeadlineExceeded.
        """
        ...

    def size(self, key: str) -> int:
        """Bytes under the key. Raises BlobMissing or StoreUnavailable."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is a blob under the key. Raises StoreUnavailable."""
        ...

    def delete(self, key: str) -> None:
        """Remove a blob; nothing happens when there is none. Raises StoreUnavailable."""
        ...

    def local_path(self, key: str) -> Path | None:
        """The blob as a file of this host; None where it is not one. Raises BlobMissing."""
        ...

    def keys(self, room: str, after: str = "") -> Iterator[StoredKey]:
        """The keys below `room` that follow `after`, in their order. What is stored or deleted meanwhile may be there.

        Nothing is in memory as a whole. Raises ValueError for a bad room, and StoreUnavailable on the way.
        """
        ...

    def sweep(self, older_than: float) -> int:
        """Remove spool files last written before `older_than` (seconds since the epoch); how many there were."""
        ...


def content_key(sha256: str) -> str:
    """The key of content that may be shared, by its SHA-256 in hex. Raises ValueError for anything else."""
    if re.fullmatch("[0-9a-f]{64}", sha256) is None:
        raise ValueError("not a SHA-256 in lower-case hex")
    # One level, as for `own_key`; keys with two are from before, and stand in the rows of their contents.
    return f"content/{sha256[:2]}/{sha256[2:]}"


def own_key(room: str) -> str:
    """A new key below `room` that is never shared and cannot be guessed. Raises ValueError for a bad room."""
    name = secrets.token_hex(32)
    # One level of directories: making one takes longer than the file, and soon all of these are there.
    return f"{checked_room(room)}/{name[:2]}/{name[2:]}"


def is_shared(key: str) -> bool:
    """Whether the content under a key may be several things'."""
    return key.startswith("content/")


def checked_room(room: str) -> str:
    """`room`, when it is the name of one. Raises ValueError."""
    if _ROOM.fullmatch(room) is None or room == "content":
        raise ValueError("not the name of a room")
    return room


def checked_key(key: str) -> str:
    """`key`, when it is one that these functions may have made. Raises ValueError."""
    if _KEY.fullmatch(key) is None or key.endswith("/"):
        raise ValueError("not a key of a blob")
    return key
