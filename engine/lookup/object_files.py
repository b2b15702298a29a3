"""Files of other symbol servers as they are, for whoever wants the file itself and not what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.caches import Miss
from engine.convert.client import ConverterUnavailable
from engine.errors import FailureKind
from engine.formats import fat
from engine.formats.bytewise import FormatError, mapped
from engine.lookup.answer import INTERNAL, Try
from engine.lookup.conclusion import best_of
from engine.lookup.gathering import gather
from engine.lookup.objects import InternalFailure, ObjectFile, present
from engine.lookup.store import Store
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import FileType, Source

Rank = Callable[[Try], int | None]


@dataclass(frozen=True, slots=True)
class FetchedObject:
    """A module's object: `size` bytes from `offset` of an unpacked file in the cache, which other objects may share.

    `identity` is the hex digest of the whole file; `fetched` is in seconds since the epoch.
    """

    path: Path
    offset: int
    size: int
    identity: str
    fetched: float


@dataclass(frozen=True, slots=True)
class ObjectAnswer:
    """The object, or why there is none: `failure` says what kept a source from answering, None when all had answered.

    Then the object is absent everywhere.
    """

    found: FetchedObject | None
    failure: str | None = None


def any_object(attempt: Try) -> int | None:
    """The rank of files that are wanted whatever they hold."""
    return None if attempt.facts is None else 0


def find_object(
    wanted: Wanted,
    sources: Sequence[Source],
    file_types: Sequence[FileType],
    *,
    scope: str,
    store: Store,
    deadline: Deadline,
    rank: Rank = any_object,
) -> ObjectAnswer:
    """The best file of these types, from whichever source has it, fetched into the cache.

    Raises DeadlineExceeded; everything else that goes wrong is part of the answer.
    """
    store.purges.token([source.cache_key for source in sources])
    gathered = gather(wanted, sources, file_types, scope=scope, store=store, deadline=deadline)
    best = best_of(gathered, rank)
    if best is None:
        return ObjectAnswer(None, next(filter(None, map(_failure, gathered.tries)), None))
    try:
        found = _fetched(store, best, deadline)
    except (OSError, ConverterUnavailable, FormatError):
        found = None
    return ObjectAnswer(found, None if found else INTERNAL)


def _fetched(store: Store, attempt: Try, deadline: Deadline) -> FetchedObject | None:
    file, facts, place = attempt.outcome, attempt.facts, attempt.place
    if not isinstance(file, ObjectFile) or facts is None:
        return None
    again = present(store, place, file, deadline)
    if again is None or again.digest != file.digest:
        return None
    path = store.objects.path(place.key)
    offset, size = _extent(path, file.total, facts.index)
    return FetchedObject(path, offset, size, file.digest, file.fetched)


def _extent(path: Path, total: int, index: int) -> tuple[int, int]:
    """Where an object lies in its file; a file that is not fat is one piece."""
    with open(path, "rb") as file:
        data = mapped(file)
    listed = fat.entries(data) if total > 1 else ()
    if len(listed) == total:
        return listed[index].offset, listed[index].size
    return 0, len(data)


def _failure(attempt: Try) -> str | None:
    """What kept a source from saying whether it has the file; None when it said so."""
    match attempt.outcome:
        case InternalFailure():
            return INTERNAL
        case Miss(kind=FailureKind.NOT_FOUND):
            return None
        case Miss(kind=FailureKind.REFUSED, details=details):
            return f"permission denied: {details}"
        case Miss(kind=FailureKind.MALFORMED | FailureKind.TOO_LARGE as kind, details=details):
            return f"{kind.value.replace('_', ' ')}: {details}"
        case Miss(details=details, kind=kind):
            return details or kind.value.replace("_", " ")
        case _:
            return None
