"""The search for one module's debug file through all sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.caches import derived_key
from engine.lookup.answer import PORTABLE_PDB, Try, debug_rank, unsupported
from engine.lookup.conclusion import Conclusion, best_of, found, nothing
from engine.lookup.derived import SYMCACHE, DerivedFile, obtain_derived
from engine.lookup.file_types import DEBUG_FILES
from engine.lookup.gathering import Gathered
from engine.lookup.kept import Keeping, Quest
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
    quest = Quest(wanted, sources, DEBUG_FILES[wanted.type], scope, store, deadline)
    keeping = Keeping.of(quest, Purpose.DEBUG)
    known = _kept(keeping)
    if known is not None:
        return known
    gathered = keeping.visit()
    best = best_of(gathered, debug_rank)
    maps = MapSearch(wanted, sources, scope, store, deadline)
    found = _Found(nothing(gathered, Purpose.DEBUG)) if best is None else _use(best, gathered, maps)
    _keep(keeping, found, maps)
    return found.answer()


def recall_symcache(
    wanted: Wanted, sources: Sequence[Source], *, scope: str, store: Store, deadline: Deadline
) -> SymcacheAnswer | None:
    """The answer of `search` where it is on disk and nobody has to be waited for; None elsewhere."""
    if any(source.asks_first for source in sources):
        return None
    quest = Quest(wanted, sources, DEBUG_FILES[wanted.type], scope, store, deadline)
    return _kept(Keeping.of(quest, Purpose.DEBUG))


def _kept(keeping: Keeping) -> SymcacheAnswer | None:
    """What is kept on disk, where the file that was made is there and verified."""
    kept = keeping.read()
    if kept is None:
        return None
    made = kept.made(keeping.quest.store.symcaches)
    if kept.derived and made is None:
        return None
    keeping.used(kept)
    return SymcacheAnswer(
        status=kept.status,
        path=made.path if made else None,
        identity=made.identity if made else None,
        arch=kept.arch,
        features=kept.features,
        candidates=kept.candidates,
        valid_until=kept.valid_until,
    )


def _keep(keeping: Keeping, found: _Found, maps: MapSearch) -> None:
    """Portable PDBs and maps are believed by their digests alone, so nothing is kept of what rests on them."""
    usable, concluded = found.usable, found.concluded
    if concluded.status is ModuleStatus.OTHER or (usable and (usable.managed or usable.maps)):
        return
    expires = min(concluded.lasts_until, maps.expires)
    if expires > keeping.began:
        keeping.write(concluded.kept(usable.file.key if usable else "", expires), concluded.gathered)


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


@dataclass(frozen=True, slots=True)
class _Found:
    """What follows from the tries, and the file where there is one."""

    concluded: Conclusion
    usable: _Usable | None = None

    def answer(self) -> SymcacheAnswer:
        concluded, usable = self.concluded, self.usable
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


def _use(best: Try, gathered: Gathered, maps: MapSearch) -> _Found:
    """What follows when there is a file to use."""
    file, facts = best.outcome, best.facts
    if not isinstance(file, ObjectFile) or facts is None:
        raise TypeError("only a file that is there can be used")
    concluded = found(gathered, Purpose.DEBUG, best)
    problem = unsupported(facts, best.place.wanted.type)
    if problem is not None:
        return _Found(replace(concluded, status=ModuleStatus.UNSUPPORTED, use=Use(UseStatus.ERROR, problem)))
    managed = facts.file_format == PORTABLE_PDB
    if managed:
        made = obtain_portable_pdb(maps.store, best.place, file, maps.deadline)
    else:
        made = obtain_derived(SYMCACHE, maps.store, best.place, file, facts, maps.deadline)
    usable = made if not isinstance(made, DerivedFile) else _with_maps(made, managed, maps)
    return _Found(concluded, usable) if isinstance(usable, _Usable) else _Found(concluded.spoiled(usable))


def _with_maps(made: DerivedFile, managed: bool, maps: MapSearch) -> _Usable | InternalFailure:
    try:
        return _Usable(made, managed, () if managed else maps.maps_for(made.path))
    except OSError as error:
        return InternalFailure.of(error)
