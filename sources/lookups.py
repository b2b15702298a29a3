"""Where a process keeps the files that it looked up, made when first needed.

A forked child makes its own: threads and locks do not survive a fork.
"""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings

from engine.caches import default_limit
from engine.lookup.store import Store
from sources.sharing import shared_cache

CONVERTER_VARIABLE: Final = "SYMBOLSVC_CONVERTER"
# One file takes at most this part of the cache's limit.
_LARGEST_SHARE: Final = 4

_mutex = threading.Lock()


def lookup_store() -> Store:
    """The one store of this process."""
    with _mutex:
        return _store()


@lru_cache(maxsize=1)
def _store() -> Store:
    socket = os.environ.get(CONVERTER_VARIABLE)
    return Store(
        cache_dir=Path(settings.CACHE_DIR),
        converter_socket=Path(socket) if socket else None,
        max_download_bytes=_largest_download(),
        shared=shared_cache(settings.ENVIRONMENT["SHARED_CACHE"], Path(settings.CACHE_DIR)),
    )


def _largest_download() -> int:
    """A file lies in the cache twice while it is unpacked, and must leave room for others."""
    limit: int = settings.ENVIRONMENT["CACHE_MAX_BYTES"] or default_limit(Path(settings.CACHE_DIR))
    return min(int(settings.ENVIRONMENT["MAX_DOWNLOAD_BYTES"]), limit // _LARGEST_SHARE)


def _forget() -> None:
    global _mutex
    _mutex = threading.Lock()
    _store.cache_clear()


os.register_at_fork(after_in_child=_forget)
