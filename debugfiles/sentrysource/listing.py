"""Which debug files answer a question by ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from debugfiles.contents import TOUCH_EVERY, touch
from debugfiles.models import DebugFile
from engine.modules import DebugId, parse_code_id
from projects.models import Project

# Symbolicator takes a longer list for a fault of the server.
MOST: Final = 19
_LOOKED_AT: Final = 200


def files_for(project: Project, debug_id: str, code_id: str, symbol_types: Sequence[str] = ()) -> list[DebugFile]:
    """The project's files with the debug id, else those with the code id; the newest of each kind first.

    An age counts the writes of a PDB, so a later one serves an earlier crash. What cannot be an id finds nothing.
    """
    files = DebugFile.objects.filter(project=project)
    if symbol_types:
        files = files.filter(symbol_type__in=symbol_types)
    rows = _first_found(files, [_by_debug_id(debug_id), _by_code_id(code_id)])
    stale = timezone.now() - TOUCH_EVERY
    touch(DebugFile, [row.pk for row in rows if row.last_used < stale])
    return rows


def _first_found(files: QuerySet[DebugFile], questions: Iterable[Q | None]) -> list[DebugFile]:
    for asked in questions:
        if asked is not None and (rows := list(files.filter(asked).order_by("debug_appendix", "-pk")[:_LOOKED_AT])):
            return _fairly(rows)
    return []


def _fairly(rows: list[DebugFile]) -> list[DebugFile]:
    """The first of each sort of file, then the second ones: many of one do not keep out the only one of another."""
    met: Counter[tuple[object, ...]] = Counter()
    turns = []
    for row in rows:
        sort = row.symbol_type, row.kind, *row.features
        turns.append(met[sort])
        met[sort] += 1
    ordered = sorted(zip(turns, range(len(rows)), rows, strict=True), key=lambda item: item[:2])
    return [row for *_, row in ordered[:MOST]]


def _by_debug_id(text: str) -> Q | None:
    found = DebugId.parse(text) if text else None
    return None if found is None else Q(debug_uuid=found.uuid, debug_appendix__gte=found.appendix)


def _by_code_id(text: str) -> Q | None:
    found = parse_code_id(text) if text else None
    return Q(code_id=found) if found else None
