"""From what came of a try to its record, which diagnoses are made of."""

from __future__ import annotations

import time

from engine.caches import Miss
from engine.convert.wire import ObjectFacts
from engine.lookup import model
from engine.lookup.misses import PASSING_SECONDS
from engine.lookup.objects import InternalFailure, ObjectFile, Outcome, Place
from engine.modules import DebugId, Wanted

_NIL_DIGITS = frozenset("0-")


def record_of(place: Place, outcome: Outcome, facts: ObjectFacts | None) -> model.TryRecord:
    """The record of one try; `facts` is the object of the file that is used for the module."""
    path = place.location.path
    match outcome:
        case Miss():
            return _missed(path, outcome)
        case InternalFailure():
            again = time.time() + PASSING_SECONDS
            kind = model.Outcome.INTERNAL_ERROR
            return model.TryRecord(path, kind, time.time(), again, again, outcome.reason)
        case ObjectFile():
            return model.TryRecord(path, _fits(facts, place.wanted), outcome.fetched or None)


def is_other_build(facts: ObjectFacts, wanted: Wanted) -> bool:
    """Whether a file is of another build than the module, as far as both say."""
    if wanted.code_id and facts.code_id and wanted.code_id == facts.code_id.lower():
        return False
    own = DebugId.parse(facts.debug_id) if _known(facts.debug_id) else None
    if wanted.debug_id is not None and own is not None:
        return own.uuid != wanted.debug_id.uuid
    return bool(wanted.code_id and facts.code_id)


def _missed(path: str, miss: Miss) -> model.TryRecord:
    outcome = model.Outcome(miss.kind.value)
    return model.TryRecord(path, outcome, miss.created, miss.expires, miss.expires, miss.details, miss.left_alone)


def _fits(facts: ObjectFacts | None, wanted: Wanted) -> model.Outcome:
    if facts is None:
        # An archive without the module's object.
        return model.Outcome.NOT_FOUND
    return model.Outcome.WRONG_ID if is_other_build(facts, wanted) else model.Outcome.FOUND


def _known(text: str | None) -> bool:
    return bool(text) and not set(str(text)) <= _NIL_DIGITS
