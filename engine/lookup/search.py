"""The search for one module's debug file through all sources."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from engine.caches import Miss, derived_key
from engine.lookup.answer import PORTABLE_PDB, Try, debug_rank, unsupported, use_of
from engine.lookup.file_types import DEBUG_FILES
from engine.lookup.gathering import Gathered, gather
from engine.lookup.maps import MapSearch
from engine.lookup.model import Features, ModuleStatus, NameMap, SymcacheAnswer, Use, UseStatus
from engine.lookup.objects import InternalFailure, ObjectFile, expiry
from engine.lookup.portable_pdbs import obtain_portable_pdb
from engine.lookup.store import Store
from engine.lookup.symcaches import Symcache, obtain_symcache
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import Source

UNKNOWN_ARCH = "unknown"
# How long an answer without any failure in it is taken as it is.
ANSWER_SECONDS = 600.0


def search(
    wanted: Wanted, sources: Sequence[Source], *, scope: str, store: Store, deadline: Deadline
) -> SymcacheAnswer:
    """Ask all sources for all places at once, and convert the best file found. Raises DeadlineExceeded."""
    gathered = gather(wanted, sources, DEBUG_FILES[wanted.type], scope=scope, store=store, deadline=deadline)
    ranked = [(rank, attempt) for attempt in gathered.tries if (rank := debug_rank(attempt)) is not None]
    if not ranked:
        return _nothing(gathered)
    best = min(ranked, key=lambda pair: pair[0])[1]
    return _use(best, gathered, MapSearch(wanted, sources, scope, store, deadline))


@dataclass(frozen=True, slots=True)
class _Usable:
    """What can be read for names, and the maps that it has to go through."""

    file: Symcache
    managed: bool = False
    maps: tuple[NameMap, ...] = ()

    @property
    def identity(self) -> str:
        if not self.maps:
            return self.file.identity
        return derived_key("mapped", self.file.identity, *(f"{found.kind} {found.identity}" for found in self.maps))


def _use(best: Try, gathered: Gathered, maps: MapSearch) -> SymcacheAnswer:
    """The answer when there is a file to use."""
    file, facts = best.outcome, best.facts
    if not isinstance(file, ObjectFile) or facts is None:
        raise TypeError("only a file that is there can be used")
    problem = unsupported(facts, best.place.wanted.type)
    if problem is not None:
        return _answer(ModuleStatus.UNSUPPORTED, gathered, best=best, use=Use(UseStatus.ERROR, problem))
    managed = facts.file_format == PORTABLE_PDB
    if managed:
        made = obtain_portable_pdb(maps.store, best.place, file, maps.deadline)
    else:
        made = obtain_symcache(maps.store, best.place, file, facts, maps.deadline)
    usable = made if not isinstance(made, Symcache) else _with_maps(made, managed, maps)
    if isinstance(usable, _Usable):
        return _answer(ModuleStatus.FOUND, gathered, best=best, use=Use(UseStatus.OK), usable=usable)
    status = ModuleStatus.MALFORMED if isinstance(usable, Miss) else ModuleStatus.OTHER
    return _answer(status, gathered, best=best, use=use_of(usable), expires=expiry(usable))


def _with_maps(made: Symcache, managed: bool, maps: MapSearch) -> _Usable | InternalFailure:
    try:
        return _Usable(made, managed, () if managed else maps.maps_for(made.path))
    except OSError as error:
        return InternalFailure.of(error)


def _nothing(gathered: Gathered) -> SymcacheAnswer:
    """The answer when no file is of use: the first failure decides. Files without debug information are none."""
    failed = next((attempt for attempt in gathered.tries if attempt.facts is None), None)
    if failed is None:
        return _answer(ModuleStatus.MISSING, gathered)
    status = failed.status()
    use = Use(UseStatus.MALFORMED) if status is ModuleStatus.MALFORMED else None
    return _answer(status, gathered, best=failed, use=use)


def _answer(
    status: ModuleStatus,
    gathered: Gathered,
    *,
    best: Try | None = None,
    use: Use | None = None,
    usable: _Usable | None = None,
    expires: float = float("inf"),
) -> SymcacheAnswer:
    facts = best.facts if best else None
    return SymcacheAnswer(
        status=status,
        path=usable.file.path if usable else None,
        identity=usable.identity if usable else None,
        arch=facts.arch if facts else UNKNOWN_ARCH,
        features=best.features if best else Features(),
        candidates=gathered.rows(best, use),
        valid_until=min(gathered.expires, expires, time.time() + ANSWER_SECONDS),
        managed=usable is not None and usable.managed,
        maps=usable.maps if usable else (),
    )
