"""Files that are found by their id alone and read by ourselves: mappings, and bundles of source files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from engine.caches import Miss
from engine.errors import FailureKind
from engine.lookup.crew import run_all
from engine.lookup.gathering import list_places
from engine.lookup.objects import Place
from engine.lookup.plain_files import Errand, PlainFile, obtain_plain
from engine.lookup.store import Store
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import FileType, Source


@dataclass(frozen=True, slots=True)
class SingleFile:
    """Which kind of file is looked for. `check` raises FormatError for content that is of no use."""

    file_type: FileType
    max_bytes: int
    check: Callable[[memoryview], object]


def find_file(
    kind: SingleFile,
    wanted: Wanted,
    sources: Sequence[Source],
    *,
    scope: str,
    store: Store,
    deadline: Deadline,
    missed: Callable[[Miss], object] = bool,
) -> PlainFile | Miss | None:
    """The first such file of all sources, which are asked at the same time; None when none of them knows a place.

    Without a file, the most telling failure: one that was there and of no use says more than one that was not there.
    All failures are told to `missed`. Raises DeadlineExceeded and OSError.
    """
    places, _ = list_places(wanted, sources, (kind.file_type,), scope, deadline)
    tasks = [partial(_obtain, kind, place, store, deadline) for place in places]
    found = run_all(tasks, deadline) if tasks else []
    misses = [each for each in found if isinstance(each, Miss)]
    for miss in misses:
        missed(miss)
    file = next((each for each in found if isinstance(each, PlainFile)), None)
    if file is not None:
        return file
    return min(misses, key=_rank, default=None)


def _obtain(kind: SingleFile, place: Place, store: Store, deadline: Deadline) -> PlainFile | Miss:
    def fetch(target: BinaryIO) -> None:
        place.source.fetch(place.location, place.wanted, target, deadline)

    errand = Errand(place.key, place.labels, fetch, kind.max_bytes, kind.check, unpack=True)
    return obtain_plain(store.auxiliary, errand, deadline)


def _rank(miss: Miss) -> int:
    telling = (FailureKind.MALFORMED, FailureKind.TOO_LARGE, FailureKind.REFUSED, FailureKind.NOT_CONFIGURED)
    return telling.index(miss.kind) if miss.kind in telling else len(telling) + (miss.kind is FailureKind.NOT_FOUND)
