"""What goes to and comes from the cache that several hosts share, where there is one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from engine.caches import Labels, Shelf
from engine.caches.sealed import SEAL
from engine.outgoing import Deadline

if TYPE_CHECKING:
    from engine.lookup.store import Store


def shared_file(
    store: Store, shelf: Shelf, key: str, labels: Labels, target: BinaryIO, deadline: Deadline
) -> float | None:
    """Write the shared file to `target` (open for both, empty) and say when it was fetched; None if there is none.

    What has been purged on this host since then does not count, and is replaced by what is fetched anew.
    """
    if store.shared is None:
        return None
    created = store.shared.fetch(_name(shelf, key), target, deadline)
    if created is not None and shelf.purges and shelf.purges.cover(labels, created):
        target.seek(0)
        target.truncate()
        return None
    return created


def offer_file(store: Store, shelf: Shelf, key: str, created: float) -> None:
    """Share a file of this host as it is."""
    path = shelf.path(key)
    _offer(store, shelf, key, path, path.stat().st_size, created)


def offer_sealed(store: Store, shelf: Shelf, key: str) -> None:
    """Share a sealed file of this host, just made, without its seal."""
    path = shelf.path(key)
    _offer(store, shelf, key, path, path.stat().st_size - SEAL.size, time.time())


def _offer(store: Store, shelf: Shelf, key: str, path: Path, size: int, created: float) -> None:
    if store.shared is not None:
        store.shared.offer(_name(shelf, key), path, size, created)


def _name(shelf: Shelf, key: str) -> str:
    return f"{shelf.kind}/{shelf.version}/{key[:2]}/{key}"
