"""Reports a minute, by project and by token."""

from __future__ import annotations

import math
import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings

from crashes.answers import too_many
from crashes.limits.meter import Meter
from crashes.rules import Rules, rules_lately_of
from projects.models import Project

_FILE: Final = "crash.rates"
_mutex = threading.Lock()


def demand_turn(*, project: Project, caller: str) -> Rules:
    """The project's rules, when one more report may come now: from anybody, and from `caller` (a token or key).

    Counts for this host. Raises Refusal (429) that says when the next one may come.
    """
    rules = rules_lately_of(project)
    by_caller = settings.ENVIRONMENT["CRASHES_PER_MINUTE_BY_TOKEN"]
    # The caller first: what it sends beyond its own limit takes nothing from the others of its project.
    _demand(f"{project.pk} {caller}", by_caller, "this token")
    _demand(f"{project.pk}", rules.per_minute, "this project")
    return rules


def _demand(key: str, per_minute: int | None, whose: str) -> None:
    if per_minute is None:
        return
    seconds = _meter().take(key, per_minute)
    if seconds > 0:
        raise too_many(f"more than {per_minute} reports a minute for {whose}", math.ceil(seconds))


def _meter() -> Meter:
    with _mutex:
        return _opened(Path(settings.CACHE_DIR) / _FILE)


@lru_cache(maxsize=1)
def _opened(path: Path) -> Meter:
    return Meter(path)


def _forget() -> None:
    global _mutex
    _mutex = threading.Lock()
    _opened.cache_clear()


os.register_at_fork(after_in_child=_forget)
