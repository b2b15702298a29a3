"""The search for one module's unwind rules through all sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from engine.formats.bytewise import FormatError
from engine.formats.cfi import CfiIndex
from engine.lookup.answer import Try, unwind_rank
from engine.lookup.conclusion import Conclusion, best_of, found, nothing
from engine.lookup.derived import CFICACHE, DerivedFile, obtain_derived
from engine.lookup.file_types import UNWIND_FILES
from engine.lookup.in_place import lying, object_in_place
from engine.lookup.kept import InPlace, Keeping, Quest
from engine.lookup.model import CficacheAnswer, ModuleRecord, ModuleStatus, Purpose
from engine.lookup.objects import InternalFailure, ObjectFile
from engine.lookup.store import Store
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import Source


def search_cfi(
    wanted: Wanted, sources: Sequence[Source], *, scope: str, store: Store, deadline: Deadline
) -> CficacheAnswer:
    """Ask all sources for all places at once, and convert the first file with rules. Raises DeadlineExceeded."""
    keeping = Keeping.of(Quest(wanted, sources, UNWIND_FILES[wanted.type], scope, store, deadline), Purpose.UNWIND)
    known = _kept(keeping)
    if known is not None:
        return known
    gathered = keeping.visit()
    best = best_of(gathered, unwind_rank)
    if best is None:
        found_out = _Found(nothing(gathered, Purpose.UNWIND))
    else:
        found_out = _use(best, found(gathered, Purpose.UNWIND, best), store, deadline)
    _keep(keeping, found_out)
    return found_out.answer()


def recall_cficache(
    wanted: Wanted, sources: Sequence[Source], *, scope: str, store: Store, deadline: Deadline
) -> CficacheAnswer | None:
    """The answer of `search_cfi` where it is on disk and nobody has to be waited for; None elsewhere."""
    if any(source.asks_first for source in sources):
        return None
    return _kept(Keeping.of(Quest(wanted, sources, UNWIND_FILES[wanted.type], scope, store, deadline), Purpose.UNWIND))


def _kept(keeping: Keeping) -> CficacheAnswer | None:
    """What is kept on disk, where the file that was made is there and verified, or the object itself is there."""
    kept = keeping.read()
    if kept is None:
        return None
    store, placed = keeping.quest.store, kept.in_place
    made = kept.made(store.cficaches) if placed is None else lying(store, placed.key, placed.digest)
    if made is None and (kept.derived or placed):
        return None
    keeping.used(kept)
    return CficacheAnswer(
        status=kept.status,
        path=made.path if made else None,
        identity=made.identity if made else None,
        arch=kept.arch,
        features=kept.features,
        candidates=kept.candidates,
        valid_until=kept.valid_until,
        module_record=kept.module_record,
        checksum=placed.checksum if placed else None,
    )


def _keep(keeping: Keeping, found_out: _Found) -> None:
    concluded, opened = found_out.concluded, found_out.opened
    if concluded.status is ModuleStatus.OTHER:
        return
    kept = concluded.kept(opened.file.key if opened else "", concluded.lasts_until)
    if opened is not None:
        placed = opened.in_place(concluded)
        kept = structs.replace(kept, module_record=opened.record, in_place=placed)
    keeping.write(kept, concluded.gathered)


@dataclass(frozen=True, slots=True)
class _Opened:
    file: DerivedFile
    record: ModuleRecord | None
    checksum: int | None = None

    def in_place(self, concluded: Conclusion) -> InPlace | None:
        """How others find the object, where it is one and nothing was made."""
        if self.file.key or concluded.best is None:
            return None
        return InPlace(concluded.best.place.key, self.file.identity, self.checksum)


@dataclass(frozen=True, slots=True)
class _Found:
    """What follows from the tries, and the file where there is one."""

    concluded: Conclusion
    opened: _Opened | None = None

    def answer(self) -> CficacheAnswer:
        concluded, opened = self.concluded, self.opened
        return CficacheAnswer(
            status=concluded.status,
            path=opened.file.path if opened else None,
            identity=opened.file.identity if opened else None,
            arch=concluded.arch,
            features=concluded.features,
            candidates=concluded.candidates,
            valid_until=concluded.valid_until,
            module_record=opened.record if opened else None,
            checksum=opened.checksum if opened else None,
        )


def _use(best: Try, concluded: Conclusion, store: Store, deadline: Deadline) -> _Found:
    if not isinstance(best.outcome, ObjectFile) or best.facts is None:
        raise TypeError("only a file that is there can be used")
    in_place = object_in_place(store, best.place, best.outcome, best.facts, deadline)
    if in_place is not None:
        return _Found(concluded, _Opened(in_place, None, best.facts.unwind_checksum))
    made = obtain_derived(CFICACHE, store, best.place, best.outcome, best.facts, deadline)
    if not isinstance(made, DerivedFile):
        return _Found(concluded.spoiled(made))
    try:
        return _Found(concluded, _Opened(made, _record(made.path)))
    except (FormatError, OSError) as error:
        return _Found(concluded.spoiled(InternalFailure.of(error)))


def _record(path: Path) -> ModuleRecord | None:
    module = CfiIndex.open(path).module
    return ModuleRecord(*module) if module else None
