"""The whole program, loaded once by the supervisor, whose forks the service's processes are: they share its memory.

The converter is none of them. It runs native code on files of unknown origin, and this process knows every secret.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping
from importlib import import_module
from typing import Final

from symbolsvc import environment
from symbolsvc.running.scratch import use_scratch

# The first sets Django up. Procrastinate would load its worker when one begins.
_PARTS: Final = ("symbolsvc.wsgi", "symbolsvc.running.web", "symbolsvc.working", "procrastinate.worker")


def load(known: Mapping[str, str]) -> None:
    """Load everything that a process of the service may need; `known` joins this process's environment before.

    No thread is started and nothing connected. Raises ConfigurationError for settings that contradict each other.
    """
    os.environ.update(known)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "symbolsvc.settings")
    use_scratch(environment.cache_dir(environment.read()))
    # What a collection frees leaves holes in pages that are shared; in what is only loaded there is little to free.
    gc.disable()
    try:
        _load()
    finally:
        gc.freeze()
        gc.enable()


def _load() -> None:
    for name in _PARTS:
        import_module(name)
    from django.urls import get_resolver

    # Every view with what it needs.
    _ = get_resolver().url_patterns
