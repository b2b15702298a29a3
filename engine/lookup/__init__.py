"""Which file of which source serves a module: candidates, ranking, and the record of every try."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from engine.lookup.cfi_search import recall_cficache, search_cfi
from engine.lookup.gathering import NOBODY
from engine.lookup.joining import join_candidates
from engine.lookup.model import (
    Candidate,
    CficacheAnswer,
    Download,
    DownloadStatus,
    Features,
    ModuleRecord,
    ModuleStatus,
    SourceAnswer,
    SymcacheAnswer,
    Use,
    UseStatus,
)
from engine.lookup.search import recall_symcache, search
from engine.lookup.source_objects import recall_sources, search_sources, unresponsive
from engine.lookup.store import Store
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import Source, listing_sources

__all__ = [
    "Candidate",
    "CficacheAnswer",
    "Download",
    "DownloadStatus",
    "Features",
    "ModuleRecord",
    "ModuleStatus",
    "SourceAnswer",
    "Store",
    "SymcacheAnswer",
    "Use",
    "UseStatus",
    "find_cficache",
    "find_sources",
    "find_symcache",
    "join_candidates",
    "recall_cficache",
    "recall_sources",
    "recall_symcache",
]


def find_symcache(
    wanted: Wanted, sources: Sequence[Source], *, scope: str, store: Store, deadline: Deadline
) -> SymcacheAnswer:
    """The best debug file for a module, as a verified symcache on disk, with the record of every try.

    Raises DeadlineExceeded; everything else that goes wrong is part of the answer.
    """
    key = _flight_key(wanted, sources, scope, store)
    return store.flights.run(
        key, lambda: search(wanted, sources, scope=scope, store=store, deadline=deadline), deadline
    )


def find_cficache(
    wanted: Wanted, sources: Sequence[Source], *, scope: str, store: Store, deadline: Deadline
) -> CficacheAnswer:
    """The unwind rules of a module, as a verified index on disk, with the record of every try.

    A file that serves names too is fetched once for both. Raises DeadlineExceeded; everything else that goes wrong is
    part of the answer.
    """
    key = _flight_key(wanted, sources, scope, store)
    return store.cfi_flights.run(
        key, lambda: search_cfi(wanted, sources, scope=scope, store=store, deadline=deadline), deadline
    )


def find_sources(
    wanted: Wanted,
    sources: Sequence[Source],
    *,
    scope: str,
    store: Store,
    deadline: Deadline,
    names: SymcacheAnswer | None = None,
) -> SourceAnswer:
    """The file with a module's source files, verified, with the record of every try.

    `names` is what was found out just before: sources that did not answer then are not asked now. Raises
    DeadlineExceeded; everything else that goes wrong is part of the answer.
    """
    spared = unresponsive(names.candidates) if names else NOBODY
    return store.source_flights.run(
        (frozenset(spared), _flight_key(wanted, sources, scope, store)),
        lambda: search_sources(wanted, sources, scope=scope, store=store, deadline=deadline, spared=spared),
        deadline,
    )


def _flight_key(wanted: Wanted, sources: Sequence[Source], scope: str, store: Store) -> Hashable:
    purged = store.purges.token([source.cache_key for source in sources])
    offers = tuple(source.offer(wanted) for source in listing_sources(sources))
    return scope, purged, offers, tuple((source.id, source.cache_key, source.shared) for source in sources), wanted
