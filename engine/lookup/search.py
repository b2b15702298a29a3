"""The search for one module's debug file through all sources."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from engine.caches import Miss
from engine.errors import LookupFailure
from engine.lookup.answer import Try, debug_rank, features, unsupported, use_of
from engine.lookup.crew import run_all
from engine.lookup.file_types import DEBUG_FILES
from engine.lookup.model import (
    NOTHING_LISTED,
    Candidate,
    Download,
    DownloadStatus,
    Features,
    ModuleStatus,
    SymcacheAnswer,
    Use,
    UseStatus,
)
from engine.lookup.objects import ObjectFile, Outcome, Place, expiry, known, obtain
from engine.lookup.store import Store
from engine.lookup.symcaches import Symcache, obtain_symcache
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import Location, Source

UNKNOWN_ARCH = "unknown"
# How long an answer without any failure in it is taken as it is.
ANSWER_SECONDS = 600.0


def search(
    wanted: Wanted, sources: Sequence[Source], *, scope: str, store: Store, deadline: Deadline
) -> SymcacheAnswer:
    """Ask all sources for all places at once, and convert the best file found. Raises DeadlineExceeded."""
    places, empty = _places(wanted, sources, scope, deadline)
    outcomes = _outcomes(store, places, deadline)
    tries = [Try.of(place, outcome) for place, outcome in zip(places, outcomes, strict=True)]
    ranked = [(rank, attempt) for attempt in tries if (rank := debug_rank(attempt)) is not None]
    if ranked:
        best = min(ranked, key=lambda pair: pair[0])[1]
        return _convert(store, best, tries, empty, deadline)
    return _nothing(tries, empty)


def _places(
    wanted: Wanted, sources: Sequence[Source], scope: str, deadline: Deadline
) -> tuple[list[Place], list[Source]]:
    """All places to look at, best first and each once, and the sources that listed none."""
    places: dict[tuple[str, str], Place] = {}
    empty = []
    for source, located in zip(sources, _all_located(wanted, sources, deadline), strict=True):
        if not located:
            empty.append(source)
        for location in located:
            place = Place.of(source, location, wanted, scope)
            places.setdefault((source.id, place.key), place)
    return list(places.values()), empty


def _all_located(wanted: Wanted, sources: Sequence[Source], deadline: Deadline) -> list[list[Location]]:
    """What each source offers. Those that ask a server for it are asked at the same time."""
    asking = [number for number, source in enumerate(sources) if source.asks_first]
    tasks = [partial(_located, sources[number], wanted, deadline) for number in asking]
    answers = dict(zip(asking, run_all(tasks, deadline), strict=True)) if tasks else {}
    return [
        answers[number] if number in answers else _located(source, wanted, deadline)
        for number, source in enumerate(sources)
    ]


def _located(source: Source, wanted: Wanted, deadline: Deadline) -> list[Location]:
    try:
        return [location for _, location in source.locate(wanted, DEBUG_FILES[wanted.type], deadline)]
    except LookupFailure:
        # A source that lists its files and cannot be asked for the list counts as one that listed nothing.
        return []


def _outcomes(store: Store, places: list[Place], deadline: Deadline) -> list[Outcome]:
    """What came of every place. What the cache knows costs no thread."""
    outcomes: dict[str, Outcome] = {}
    for place in places:
        found = known(store, place)
        if found is not None:
            outcomes[place.key] = found
    missing = list({place.key: place for place in places if place.key not in outcomes}.values())
    fetched = run_all([partial(obtain, store, place, deadline) for place in missing], deadline) if missing else []
    outcomes.update(zip((place.key for place in missing), fetched, strict=True))
    return [outcomes[place.key] for place in places]


def _convert(store: Store, best: Try, tries: list[Try], empty: list[Source], deadline: Deadline) -> SymcacheAnswer:
    """The answer when there is a file to use."""
    file, facts = best.outcome, best.facts
    if not isinstance(file, ObjectFile) or facts is None:
        raise TypeError("only a file that is there can be converted")
    problem = unsupported(facts, best.place.wanted.type)
    if problem is not None:
        use = Use(UseStatus.ERROR, problem)
        return _answer(ModuleStatus.UNSUPPORTED, tries, empty, best=best, use=use)
    made = obtain_symcache(store, best.place, file, facts, deadline)
    if isinstance(made, Symcache):
        return _answer(ModuleStatus.FOUND, tries, empty, best=best, use=Use(UseStatus.OK), symcache=made)
    status = ModuleStatus.MALFORMED if isinstance(made, Miss) else ModuleStatus.OTHER
    return _answer(status, tries, empty, best=best, use=use_of(made), expires=expiry(made))


def _nothing(tries: list[Try], empty: list[Source]) -> SymcacheAnswer:
    """The answer when no file is of use: the first failure decides. Files without debug information are none."""
    failed = next((attempt for attempt in tries if attempt.facts is None), None)
    if failed is None:
        return _answer(ModuleStatus.MISSING, tries, empty)
    status = failed.status()
    use = Use(UseStatus.MALFORMED) if status is ModuleStatus.MALFORMED else None
    return _answer(status, tries, empty, best=failed, use=use)


def _answer(
    status: ModuleStatus,
    tries: list[Try],
    empty: list[Source],
    *,
    best: Try | None = None,
    use: Use | None = None,
    symcache: Symcache | None = None,
    expires: float = float("inf"),
) -> SymcacheAnswer:
    facts = best.facts if best else None
    expiries = [expiry(attempt.outcome) for attempt in tries]
    return SymcacheAnswer(
        status=status,
        path=symcache.path if symcache else None,
        identity=symcache.identity if symcache else None,
        arch=facts.arch if facts else UNKNOWN_ARCH,
        features=features(facts) if facts else Features(),
        candidates=_candidates(tries, empty, best, use),
        valid_until=min([*expiries, expires, time.time() + ANSWER_SECONDS]),
    )


def _candidates(tries: list[Try], empty: list[Source], best: Try | None, use: Use | None) -> tuple[Candidate, ...]:
    rows = {Candidate(source.id, NOTHING_LISTED, Download(DownloadStatus.NOT_FOUND)) for source in empty}
    rows |= {attempt.candidate(use if attempt is best else None) for attempt in tries}
    return tuple(sorted(rows, key=lambda row: (row.source, row.location, row.debug is None)))
