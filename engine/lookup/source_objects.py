"""The search for the file with a module's sources."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.caches import Miss
from engine.convert.client import ConverterUnavailable
from engine.errors import FailureKind, LookupFailure
from engine.formats.bytewise import mapped
from engine.formats.portable_pdb import PortablePdb
from engine.formats.source_bundle import SourceBundle
from engine.lookup.answer import PORTABLE_PDB, SOURCE_BUNDLE, Try
from engine.lookup.file_types import SOURCE_FILES
from engine.lookup.gathering import NOBODY, Gathered
from engine.lookup.kept import ANSWER_SECONDS, Keeping, KeptAnswer, Quest, finite, objects_of
from engine.lookup.misses import PASSING_SECONDS
from engine.lookup.model import Candidate, Features, ModuleStatus, Outcome, SourceAnswer, SourceObject, TryRecord
from engine.lookup.objects import ObjectFile, present
from engine.lookup.store import Store
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import Source

_PURPOSE = "sources"
_READABLE = frozenset({PORTABLE_PDB, SOURCE_BUNDLE})


def search_sources(
    wanted: Wanted,
    sources: Sequence[Source],
    *,
    scope: str,
    store: Store,
    deadline: Deadline,
    spared: Mapping[str, Miss] = NOBODY,
) -> SourceAnswer:
    """Ask all sources for all places at once; the first file with sources is taken. Raises DeadlineExceeded."""
    quest = Quest(wanted, sources, SOURCE_FILES, scope, store, deadline)
    keeping = Keeping.of(quest, _PURPOSE)
    known = _kept(keeping)
    if known is not None:
        return known
    gathered = keeping.visit(spared)
    found = next((made for attempt in gathered.tries if (made := _opened(store, attempt, deadline))), None)
    if found is None:
        _keep(keeping, gathered)
    return SourceAnswer(found, gathered.rows(), min(gathered.expires, time.time() + ANSWER_SECONDS))


def recall_sources(
    wanted: Wanted, sources: Sequence[Source], *, scope: str, store: Store, deadline: Deadline
) -> SourceAnswer | None:
    """The answer that there are no sources, where it is on disk and nobody has to be waited for; None elsewhere."""
    if any(source.asks_first for source in sources):
        return None
    return _kept(Keeping.of(Quest(wanted, sources, SOURCE_FILES, scope, store, deadline), _PURPOSE))


def _kept(keeping: Keeping) -> SourceAnswer | None:
    kept = keeping.read()
    if kept is None:
        return None
    keeping.used(kept)
    return SourceAnswer(None, kept.candidates, kept.valid_until)


def _keep(keeping: Keeping, gathered: Gathered) -> None:
    """That no file has sources. Of one that says so it is not known for sure until it was opened."""
    if not any(map(_says_so, gathered.tries)):
        objects, expires = objects_of(gathered), finite(gathered.expires)
        answer = KeptAnswer(ModuleStatus.MISSING, "", Features(), gathered.rows(), "", objects, expires)
        keeping.write(answer, gathered)


def _says_so(attempt: Try) -> bool:
    facts = attempt.facts
    return facts is not None and facts.file_format in _READABLE and attempt.features.has_sources


def unresponsive(candidates: Sequence[Candidate]) -> dict[str, Miss]:
    """The sources, by id, that gave no answer for any place just now: asking them again would only take as long."""
    found: dict[str, Miss | None] = {}
    for candidate in candidates:
        miss = _silence(candidate.record)
        found[candidate.source] = miss if found.get(candidate.source, miss) is not None else None
    return {source: miss for source, miss in found.items() if miss is not None}


def _silence(record: TryRecord | None) -> Miss | None:
    if record is None or record.outcome not in (Outcome.TIMED_OUT, Outcome.UNREACHABLE):
        return None
    now = time.time()
    return Miss(
        FailureKind(record.outcome.value), record.details, now, now + PASSING_SECONDS, record.left_alone, passing=True
    )


def open_sources(path: Path, *, portable_pdb: bool) -> SourceBundle | PortablePdb:
    """The reader of a source object; it keeps the file mapped. Raises FormatError and OSError."""
    with open(path, "rb") as file:
        data = mapped(file)
    return PortablePdb(data) if portable_pdb else SourceBundle(data)


def _opened(store: Store, attempt: Try, deadline: Deadline) -> SourceObject | None:
    """The source object of a try; None when it is none, or its file is not there or not readable any more."""
    file, facts = attempt.outcome, attempt.facts
    if not isinstance(file, ObjectFile) or facts is None or not _says_so(attempt):
        return None
    portable = facts.file_format == PORTABLE_PDB
    path = store.objects.path(attempt.place.key)
    try:
        again = present(store, attempt.place, file, deadline)
        if again is None or again.digest != file.digest:
            return None
        reader = open_sources(path, portable_pdb=portable)
        linked = reader.has_links
    except (LookupFailure, OSError, ConverterUnavailable):
        return None
    return SourceObject(path, file.digest, portable, linked, attempt.place.labels) if reader.has_sources else None
