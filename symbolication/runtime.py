"""What a process has once, made when first needed: the engine, the slots, the threads.

A forked child makes its own: threads and locks do not survive a fork.
"""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings

from engine.run import Engine, Gate, JavascriptEngine, JvmEngine
from sources.lookups import lookup_store
from symbolication.jobs import Jobs, Ticket
from symbolication.slots import Slots

SLOTS_FILE: Final = "inflight.slots"
# Threads for requests with a timeout where their number has no limit; what comes on top waits.
_THREADS_WITHOUT_LIMIT: Final = 1024

_mutex = threading.Lock()


def engine() -> Engine:
    """The engine of this process."""
    with _mutex:
        return _engine()


def javascript() -> JavascriptEngine:
    """The engine of this process for JavaScript."""
    with _mutex:
        return _javascript()


def jvm() -> JvmEngine:
    """The engine of this process for JVM stacks."""
    with _mutex:
        return _jvm()


def jobs() -> Jobs:
    """The threads of this process for requests with a `timeout`."""
    with _mutex:
        return _jobs()


def take_ticket() -> Ticket | None:
    """A place among the symbolications in flight on this host, or None when all are taken."""
    with _mutex:
        slots = _slots()
    slot = slots.take()
    return None if slot is None else Ticket(slots, slot)


@lru_cache(maxsize=1)
def _engine() -> Engine:
    return Engine(lookup_store(), Gate())


@lru_cache(maxsize=1)
def _javascript() -> JavascriptEngine:
    engine = _engine()
    return JavascriptEngine(engine.store, engine.gate)


@lru_cache(maxsize=1)
def _jvm() -> JvmEngine:
    engine = _engine()
    return JvmEngine(engine.store, engine.gate)


@lru_cache(maxsize=1)
def _jobs() -> Jobs:
    return Jobs(settings.ENVIRONMENT["MAX_CONCURRENT_REQUESTS"] or _THREADS_WITHOUT_LIMIT)


@lru_cache(maxsize=1)
def _slots() -> Slots:
    return Slots(Path(settings.CACHE_DIR) / SLOTS_FILE, settings.ENVIRONMENT["MAX_CONCURRENT_REQUESTS"])


def _forget() -> None:
    global _mutex
    _mutex = threading.Lock()
    for made in (_engine, _javascript, _jvm, _jobs, _slots):
        made.cache_clear()


os.register_at_fork(after_in_child=_forget)
