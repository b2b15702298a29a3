"""Deleting the rows of pending requests that nobody can ask for any more."""

from __future__ import annotations

import threading
import time
from typing import Final

from django.db import Error

from symbolication import pending

_EVERY_SECONDS: Final = 60.0

_mutex = threading.Lock()
_next = 0.0


def sweep_now_and_then() -> None:
    """Sweep, at most once a minute per process: the table stays small without a worker too."""
    global _next
    with _mutex:
        now = time.monotonic()
        if now < _next:
            return
        _next = now + _EVERY_SECONDS
    try:
        pending.sweep()
    except Error:
        # Somebody else sweeps later; the request that came by has nothing to do with it.
        return
