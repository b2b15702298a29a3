"""The search for one module's unwind rules through all sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.formats.bytewise import FormatError
from engine.formats.cfi import CfiIndex
from engine.lookup.answer import Try, unwind_rank
from engine.lookup.conclusion import Conclusion, best_of, found, nothing
from engine.lookup.derived import CFICACHE, DerivedFile, obtain_derived
from engine.lookup.file_types import UNWIND_FILES
from engine.lookup.gathering import gather
from engine.lookup.in_place import object_in_place
from engine.lookup.model import CficacheAnswer, ModuleRecord, Purpose
from engine.lookup.objects import InternalFailure, ObjectFile
from engine.lookup.store import Store
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import Source


def search_cfi(
    wanted: Wanted, sources: Sequence[Source], *, scope: str, store: Store, deadline: Deadline
) -> CficacheAnswer:
    """Ask all sources for all places at once, and convert the first file with rules. Raises DeadlineExceeded."""
    gathered = gather(wanted, sources, UNWIND_FILES[wanted.type], scope=scope, store=store, deadline=deadline)
    best = best_of(gathered, unwind_rank)
    if best is None:
        return _answer(nothing(gathered, Purpose.UNWIND))
    return _use(best, found(gathered, Purpose.UNWIND, best), store, deadline)


@dataclass(frozen=True, slots=True)
class _Opened:
    file: DerivedFile
    record: ModuleRecord | None
    checksum: int | None = None


def _use(best: Try, concluded: Conclusion, store: Store, deadline: Deadline) -> CficacheAnswer:
    if not isinstance(best.outcome, ObjectFile) or best.facts is None:
        raise TypeError("only a file that is there can be used")
    in_place = object_in_place(store, best.place, best.outcome, best.facts, deadline)
    if in_place is not None:
        return _answer(concluded, _Opened(in_place, None, best.facts.unwind_checksum))
    made = obtain_derived(CFICACHE, store, best.place, best.outcome, best.facts, deadline)
    if not isinstance(made, DerivedFile):
        return _answer(concluded.spoiled(made))
    try:
        return _answer(concluded, _Opened(made, _record(made.path)))
    except (FormatError, OSError) as error:
        return _answer(concluded.spoiled(InternalFailure.of(error)))


def _record(path: Path) -> ModuleRecord | None:
    module = CfiIndex.open(path).module
    return ModuleRecord(*module) if module else None


def _answer(concluded: Conclusion, opened: _Opened | None = None) -> CficacheAnswer:
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
