"""How long it is remembered that a file could not be had."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from engine.caches import GLOBAL_SCOPE, Labels, Miss, Shelf
from engine.errors import FailureKind, LookupFailure
from engine.lookup.store import DAY_SECONDS
from engine.outgoing import PassingFailure
from engine.sourcetypes.blocked import HostBlocked

MISS_SECONDS = 3600.0
PASSING_SECONDS = 60.0
_BROKEN = frozenset({FailureKind.MALFORMED, FailureKind.TOO_LARGE})

Made = TypeVar("Made")


def made_or_missed(shelf: Shelf, key: str, labels: Labels, work: Callable[[], Made]) -> Made | Miss:
    """What `work` makes for `key`; what it fails with is written down, unless it says nothing about the file."""
    began = time.time()
    try:
        return work()
    except PassingFailure as failure:
        return _passing(failure)
    except LookupFailure as failure:
        miss = Miss.of(failure, _memory_seconds(failure.kind, labels.scope), began)
        shelf.write_miss(key, miss, labels)
        return miss


def _passing(failure: PassingFailure) -> Miss:
    """What is not written down, and is asked again soon, or when the host is no longer left alone."""
    if isinstance(failure, HostBlocked):
        return msgspec.structs.replace(Miss.of(failure, failure.seconds), left_alone=True, passing=True)
    return msgspec.structs.replace(Miss.of(failure, PASSING_SECONDS), passing=True)


def _memory_seconds(kind: FailureKind, scope: str) -> float:
    return DAY_SECONDS if kind in _BROKEN or scope == GLOBAL_SCOPE else MISS_SECONDS
