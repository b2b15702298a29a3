"""All places where files of a module could lie, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from engine.caches import Miss
from engine.errors import LookupFailure
from engine.lookup.answer import Try
from engine.lookup.crew import run_all
from engine.lookup.model import NOTHING_LISTED, Candidate, Download, DownloadStatus, Purpose, Use
from engine.lookup.objects import Outcome, Place, expiry, known, obtain
from engine.lookup.store import Store
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import FileType, Location, Source

# Places to look at, best first and each once, and the sources that have none.
Listing = tuple[list[Place], list[Source]]
NOBODY: Mapping[str, Miss] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Gathered:
    """The tries, best place first, and the sources that offered no place."""

    tries: list[Try]
    empty: list[Source]

    def rows(
        self, best: Try | None = None, use: Use | None = None, purpose: Purpose = Purpose.DEBUG
    ) -> tuple[Candidate, ...]:
        """The record of the tries by source and location; `use` is how the file of `best` was used for the purpose."""
        rows = {Candidate(source.id, NOTHING_LISTED, Download(DownloadStatus.NOT_FOUND)) for source in self.empty}
        rows |= {attempt.candidate(use if attempt is best else None, purpose) for attempt in self.tries}
        return tuple(sorted(rows, key=lambda row: (row.source, row.location, row.use(purpose) is None)))

    @property
    def expires(self) -> float:
        """When it is worth asking again, in seconds since the epoch; infinite when every file is there."""
        return min((expiry(attempt.outcome) for attempt in self.tries), default=float("inf"))


def gather(
    wanted: Wanted,
    sources: Sequence[Source],
    file_types: Sequence[FileType],
    *,
    scope: str,
    store: Store,
    deadline: Deadline,
    spared: Mapping[str, Miss] = NOBODY,
) -> Gathered:
    """Ask all sources for all places at once. Raises DeadlineExceeded.

    The `spared` ones, by id, are not asked for what the cache does not know: that is missed for the reason given.
    """
    places, empty = list_places(wanted, sources, file_types, scope, deadline)
    return visit(places, empty, store=store, deadline=deadline, spared=spared, symcaches=False)


def visit(
    places: list[Place],
    empty: list[Source],
    *,
    store: Store,
    deadline: Deadline,
    spared: Mapping[str, Miss] = NOBODY,
    symcaches: bool = True,
) -> Gathered:
    """Look at all places at once, as `gather` does; `symcaches`: those of what is fetched are wanted next, probably."""
    outcomes = _outcomes(partial(obtain, store, symcache=symcaches), store, places, deadline, spared)
    return Gathered([Try.of(place, outcome) for place, outcome in zip(places, outcomes, strict=True)], empty)


def list_places(
    wanted: Wanted, sources: Sequence[Source], file_types: Sequence[FileType], scope: str, deadline: Deadline
) -> Listing:
    """All places to look at, best first and each once, and the sources that listed none."""
    places: dict[tuple[str, str], Place] = {}
    empty = []
    for source, located in zip(sources, _all_located(wanted, sources, file_types, deadline), strict=True):
        if not located:
            empty.append(source)
        for location in located:
            place = Place.of(source, location, wanted, scope)
            places.setdefault((source.id, place.key), place)
    return list(places.values()), empty


def _all_located(
    wanted: Wanted, sources: Sequence[Source], file_types: Sequence[FileType], deadline: Deadline
) -> list[list[Location]]:
    """What each source offers. Those that ask a server for it are asked at the same time."""
    asking = [number for number, source in enumerate(sources) if source.asks_first]
    tasks = [partial(_located, sources[number], wanted, file_types, deadline) for number in asking]
    answers = dict(zip(asking, run_all(tasks, deadline), strict=True)) if tasks else {}
    return [
        answers[number] if number in answers else _located(source, wanted, file_types, deadline)
        for number, source in enumerate(sources)
    ]


def _located(source: Source, wanted: Wanted, file_types: Sequence[FileType], deadline: Deadline) -> list[Location]:
    try:
        return [location for _, location in source.locate(wanted, file_types, deadline)]
    except LookupFailure:
        # A source that lists its files and cannot be asked for the list counts as one that listed nothing.
        return []


def _outcomes(
    obtained: Callable[[Place, Deadline], Outcome],
    store: Store,
    places: list[Place],
    deadline: Deadline,
    spared: Mapping[str, Miss],
) -> list[Outcome]:
    """What came of every place. What the cache knows costs no thread."""
    outcomes: dict[str, Outcome] = {}
    for place in places:
        found = known(store, place) or spared.get(place.source.id)
        if found is not None:
            outcomes[place.key] = found
    missing = list({place.key: place for place in places if place.key not in outcomes}.values())
    fetched = run_all([partial(obtained, place, deadline) for place in missing], deadline) if missing else []
    outcomes.update(zip((place.key for place in missing), fetched, strict=True))
    return [outcomes[place.key] for place in places]
