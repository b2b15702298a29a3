"""From an object to its symcache: sealed on disk, made once, verified before anybody opens it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from engine.caches import (
    RECORD_SUFFIX,
    CorruptFile,
    Miss,
    derived_key,
    keep_alive,
    publish,
    seal,
    temporary_file,
    verify,
)
from engine.convert.client import ConverterUnavailable
from engine.convert.wire import ObjectFacts
from engine.errors import LookupFailure
from engine.lookup.objects import InternalFailure, ObjectFile, Place, present
from engine.lookup.sharing import offer_sealed, shared_file
from engine.lookup.store import DAY_SECONDS, Store
from engine.outgoing import Deadline

GONE = "Object file no longer available"


@dataclass(frozen=True, slots=True)
class Symcache:
    """A verified symcache and the hex digest of its content."""

    path: Path
    identity: str


def obtain_symcache(
    store: Store, place: Place, file: ObjectFile, facts: ObjectFacts, deadline: Deadline
) -> Symcache | Miss | InternalFailure:
    """The symcache of one object of a known file, made if need be. Raises DeadlineExceeded."""
    key = derived_key("symcache", place.key, file.digest, str(facts.index))
    ready = _ready(store, key)
    if ready is not None:
        return ready
    try:
        again = present(store, place, file, deadline)
        if again is None or again.digest != file.digest:
            return InternalFailure(GONE)
        with store.symcaches.exclusive(key, deadline) as path:
            return _ready(store, key) or _make(store, key, path, place, facts, deadline)
    except (OSError, ConverterUnavailable) as error:
        return InternalFailure.of(error)


def _ready(store: Store, key: str) -> Symcache | Miss | None:
    path = store.symcaches.path(key)
    try:
        identity = verify(path)
        modified = os.stat(path).st_mtime
        keep_alive(path, modified)
        keep_alive(f"{path}{RECORD_SUFFIX}", modified)
        return Symcache(path, identity)
    except FileNotFoundError:
        found = store.symcaches.read(key)
        return found if isinstance(found, Miss) else None
    except CorruptFile:
        store.symcaches.forget(key)
        return None


def _make(store: Store, key: str, path: Path, place: Place, facts: ObjectFacts, deadline: Deadline) -> Symcache | Miss:
    try:
        with temporary_file(path) as (file, temporary):
            shared = shared_file(store, store.symcaches, key, place.labels, file, deadline)
            if shared is None:
                store.converter.make_symcache(store.objects.path(place.key), facts.index, temporary, deadline)
            identity = seal(file)
            publish(temporary, path)
        store.symcaches.label(key, place.labels)
        if shared is None:
            offer_sealed(store, store.symcaches, key)
        return Symcache(path, identity)
    except LookupFailure as failure:
        miss = Miss.of(failure, DAY_SECONDS)
        store.symcaches.write_miss(key, miss, place.labels)
        return miss
