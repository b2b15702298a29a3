"""Giving memory back to the system that was used once."""

from __future__ import annotations

import ctypes
import threading
import time
from typing import Final

# What goes has to be taken again: seldom enough to cost next to nothing.
_EVERY_SECONDS: Final = 30.0
_LEAST_WORK: Final = 0.25


def give_back_now() -> None:
    """Return what the C library holds for later, of which threads that have ended leave much. Only glibc does that."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def give_back(every: float = _EVERY_SECONDS) -> None:
    """Do so every so many seconds from now on, in a thread, as long as this process does anything."""
    threading.Thread(target=_repeat, args=(every,), name="memory", daemon=True).start()


def _repeat(every: float) -> None:
    worked = 0.0
    while True:
        time.sleep(every)
        if time.process_time() - worked > _LEAST_WORK:
            give_back_now()
            worked = time.process_time()
