"""Which file of which source serves a module: candidates, ranking, and the record of every try."""

from __future__ import annotations

from collections.abc import Sequence

from engine.lookup.model import (
    Candidate,
    Download,
    DownloadStatus,
    Features,
    ModuleStatus,
    SymcacheAnswer,
    Use,
    UseStatus,
)
from engine.lookup.search import search
from engine.lookup.store import Store
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import Source

__all__ = [
    "Candidate",
    "Download",
    "DownloadStatus",
    "Features",
    "ModuleStatus",
    "Store",
    "SymcacheAnswer",
    "Use",
    "UseStatus",
    "find_symcache",
]


def find_symcache(
    wanted: Wanted, sources: Sequence[Source], *, scope: str, store: Store, deadline: Deadline
) -> SymcacheAnswer:
    """The best debug file for a module, as a verified symcache on disk, with the record of every try.

    Raises DeadlineExceeded; everything else that goes wrong is part of the answer.
    """
    purged = store.purges.token([source.cache_key for source in sources])
    key = (scope, purged, tuple((source.id, source.cache_key, source.shared) for source in sources), wanted)
    return store.flights.run(
        key, lambda: search(wanted, sources, scope=scope, store=store, deadline=deadline), deadline
    )
