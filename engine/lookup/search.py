"""The search for one module's debug file through all sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.caches import derived_key
from engine.lookup.answer import PORTABLE_PDB, Try, debug_rank, unsupported
from engine.lookup.conclusion import Conclusion, best_of, found, nothing
from engine.lookup.derived import SYMCACHE, DerivedFile, obtain_derived
from engine.lookup.file_types import DEBUG_FILES
from engine.lookup.gathering import Gathered, gather
from engine.lookup.maps import MapSearch
from engine.lookup.model import ModuleStatus, NameMap, Purpose, SymcacheAnswer, Use, UseStatus
from engine.lookup.objects import InternalFailure, ObjectFile
from engine.lookup.portable_pdbs import obtain_portable_pdb
from engine.lookup.store import Store
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import Source


def search(
    wanted: Wanted, sources: Sequence[Source], *, scope: str, store: Store, deadline: Deadline
) -> SymcacheAnswer:
    """Ask all sources for all places at once, and convert the best file found. Raises DeadlineExceeded."""
    gathered = gather(wanted, sources, DEBUG_FILES[wanted.type], scope=scope, store=store, deadline=deadline)
    best = best_of(gathered, debug_rank)
    if best is None:
        return _answer(nothing(gathered, Purpose.DEBUG))
    return _use(best, gathered, MapSearch(wanted, sources, scope, store, deadline))


@dataclass(frozen=True, slots=True)
class _Usable:
    """What can be read for names, and the maps that it has to go through."""

    file: DerivedFile
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
    concluded = found(gathered, Purpose.DEBUG, best)
    problem = unsupported(facts, best.place.wanted.type)
    if problem is not None:
        return _answer(replace(concluded, status=ModuleStatus.UNSUPPORTED, use=Use(UseStatus.ERROR, problem)))
    managed = facts.file_format == PORTABLE_PDB
    if managed:
        made = obtain_portable_pdb(maps.store, best.place, file, maps.deadline)
    else:
        made = obtain_derived(SYMCACHE, maps.store, best.place, file, facts, maps.deadline)
    usable = made if not isinstance(made, DerivedFile) else _with_maps(made, managed, maps)
    return _answer(concluded, usable) if isinstance(usable, _Usable) else _answer(concluded.spoiled(usable))


def _with_maps(made: DerivedFile, managed: bool, maps: MapSearch) -> _Usable | InternalFailure:
    try:
        return _Usable(made, managed, () if managed else maps.maps_for(made.path))
    except OSError as error:
        return InternalFailure.of(error)


def _answer(concluded: Conclusion, usable: _Usable | None = None) -> SymcacheAnswer:
    return SymcacheAnswer(
        status=concluded.status,
        path=usable.file.path if usable else None,
        identity=usable.identity if usable else None,
        arch=concluded.arch,
        features=concluded.features,
        candidates=concluded.candidates,
        valid_until=concluded.valid_until,
        managed=usable is not None and usable.managed,
        maps=usable.maps if usable else (),
    )
