"""What is made from an object: sealed on disk, made once, verified before anybody opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.caches import (
    CorruptFile,
    Miss,
    Shelf,
    derived_key,
    publish,
    seal,
    temporary_file,
    verify,
)
from engine.convert.client import Converter, ConverterUnavailable
from engine.convert.wire import ObjectFacts
from engine.errors import LookupFailure
from engine.lookup.objects import SYMCACHE_NAME, InternalFailure, ObjectFile, Place, present
from engine.lookup.sharing import offer_sealed, shared_file
from engine.lookup.store import DAY_SECONDS, Store
from engine.outgoing import Deadline

GONE = "Object file no longer available"


@dataclass(frozen=True, slots=True)
class DerivedFile:
    """A verified file, the hex digest of its content, and the key that it is kept under where others may know it."""

    path: Path
    identity: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A kind of derived files: the name in their keys, where they are kept, and the converter's job that makes them.

    `convert` writes what it makes of object `index` of a file into an existing one, and raises as the converter does.
    """

    name: str
    shelf: Callable[[Store], Shelf]
    convert: Callable[[Converter, Path, int, Path, Deadline], None]


SYMCACHE = Recipe(SYMCACHE_NAME, lambda store: store.symcaches, Converter.make_symcache)
CFICACHE = Recipe("cficache", lambda store: store.cficaches, Converter.make_cfi)


def obtain_derived(
    recipe: Recipe, store: Store, place: Place, file: ObjectFile, facts: ObjectFacts, deadline: Deadline
) -> DerivedFile | Miss | InternalFailure:
    """What the recipe makes of one object of a known file, made if need be. Raises DeadlineExceeded."""
    shelf = recipe.shelf(store)
    key = derived_key(recipe.name, place.key, file.digest, str(facts.index))
    ready = ready_file(shelf, key)
    if ready is not None:
        return ready
    try:
        again = present(store, place, file, deadline)
        if again is None or again.digest != file.digest:
            return InternalFailure(GONE)
        with shelf.exclusive(key, deadline) as path:
            return ready_file(shelf, key) or _Making(recipe, store, place, facts, deadline).make(key, path)
    except (OSError, ConverterUnavailable) as error:
        return InternalFailure.of(error)


def ready_file(shelf: Shelf, key: str) -> DerivedFile | Miss | None:
    """What lies under a key, verified, or why nothing can; None when it is to be made. Raises OSError."""
    path = shelf.path(key)
    try:
        identity = verify(path)
        # The record alone: a file whose time of modification changes would have to be verified again.
        shelf.keep(key)
        return DerivedFile(path, identity, key)
    except FileNotFoundError:
        found = shelf.read(key)
        return found if isinstance(found, Miss) else None
    except CorruptFile:
        shelf.forget(key)
        return None


@dataclass(frozen=True, slots=True)
class _Making:
    recipe: Recipe
    store: Store
    place: Place
    facts: ObjectFacts
    deadline: Deadline

    def make(self, key: str, path: Path) -> DerivedFile | Miss:
        """Have the file made, or take it from the cache that is shared with other hosts."""
        store, labels, shelf = self.store, self.place.labels, self.recipe.shelf(self.store)
        try:
            with temporary_file(path) as (file, temporary):
                shared = shared_file(store, shelf, key, labels, file, self.deadline)
                if shared is None:
                    self._convert(temporary)
                identity = seal(file)
                publish(temporary, path)
            shelf.label(key, labels)
            if shared is None:
                offer_sealed(store, shelf, key)
            return DerivedFile(path, identity, key)
        except LookupFailure as failure:
            miss = Miss.of(failure, DAY_SECONDS)
            shelf.write_miss(key, miss, labels)
            return miss

    def _convert(self, target: Path) -> None:
        source = self.store.objects.path(self.place.key)
        self.recipe.convert(self.store.converter, source, self.facts.index, target, self.deadline)
