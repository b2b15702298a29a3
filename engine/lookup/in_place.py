"""Object files whose unwind tables are used where they lie: nothing is converted, nothing else is kept."""

from __future__ import annotations

from engine.caches import keep_alive
from engine.convert.client import ConverterUnavailable
from engine.convert.wire import ObjectFacts
from engine.lookup.derived import DerivedFile
from engine.lookup.objects import ObjectFile, Place, present
from engine.lookup.store import Store
from engine.outgoing import Deadline


def object_in_place(
    store: Store, place: Place, file: ObjectFile, facts: ObjectFacts, deadline: Deadline
) -> DerivedFile | None:
    """The object file itself, there but not verified; None where rules have to be converted, or it cannot be had.

    Whoever opens it compares the checksum of its tables, and takes a file away that is not what it was: then this
    fetches it again. Raises DeadlineExceeded.
    """
    if facts.unwind_checksum is None:
        return None
    there = lying(store, place.key, file.digest)
    if there is not None:
        return there
    path = store.objects.path(place.key)
    try:
        again = present(store, place, file, deadline)
    except (OSError, ConverterUnavailable):
        return None
    return DerivedFile(path, file.digest) if again is not None and again.digest == file.digest else None


def lying(store: Store, key: str, digest: str) -> DerivedFile | None:
    """The object file under a key, not verified; None where there is none."""
    path = store.objects.path(key)
    try:
        keep_alive(path, path.stat().st_mtime)
    except FileNotFoundError:
        return None
    return DerivedFile(path, digest)
