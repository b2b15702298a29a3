"""The search for the file with a module's sources."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from engine.convert.client import ConverterUnavailable
from engine.errors import LookupFailure
from engine.formats.bytewise import mapped
from engine.formats.portable_pdb import PortablePdb
from engine.formats.source_bundle import SourceBundle
from engine.lookup.answer import PORTABLE_PDB, SOURCE_BUNDLE, Try
from engine.lookup.file_types import SOURCE_FILES
from engine.lookup.gathering import gather
from engine.lookup.model import SourceAnswer, SourceObject
from engine.lookup.objects import ObjectFile, present
from engine.lookup.search import ANSWER_SECONDS
from engine.lookup.store import Store
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import Source

_READABLE = frozenset({PORTABLE_PDB, SOURCE_BUNDLE})


def search_sources(
    wanted: Wanted, sources: Sequence[Source], *, scope: str, store: Store, deadline: Deadline
) -> SourceAnswer:
    """Ask all sources for all places at once; the first file with sources is taken. Raises DeadlineExceeded."""
    gathered = gather(wanted, sources, SOURCE_FILES, scope=scope, store=store, deadline=deadline)
    found = next((made for attempt in gathered.tries if (made := _opened(store, attempt, deadline))), None)
    return SourceAnswer(found, gathered.rows(), min(gathered.expires, time.time() + ANSWER_SECONDS))


def open_sources(path: Path, *, portable_pdb: bool) -> SourceBundle | PortablePdb:
    """The reader of a source object; it keeps the file mapped. Raises FormatError and OSError."""
    with open(path, "rb") as file:
        data = mapped(file)
    return PortablePdb(data) if portable_pdb else SourceBundle(data)


def _opened(store: Store, attempt: Try, deadline: Deadline) -> SourceObject | None:
    """The source object of a try; None when it is none, or its file is not there or not readable any more."""
    file, facts = attempt.outcome, attempt.facts
    if not isinstance(file, ObjectFile) or facts is None:
        return None
    if facts.file_format not in _READABLE or not attempt.features.has_sources:
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
