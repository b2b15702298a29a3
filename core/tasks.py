"""What keeps jobs and sessions in order."""

from __future__ import annotations

import logging
from importlib import import_module

from django.conf import settings

from core.background import delete_old, periodic, requeue_stalled

log = logging.getLogger(__name__)


@periodic("* * * * *")
def sweep_stalled(_timestamp: int) -> None:
    """Run again what a killed worker had begun."""
    count = requeue_stalled()
    if count:
        log.warning("%d jobs lost their worker and run again", count)


@periodic("17 * * * *")
def sweep_old(_timestamp: int) -> None:
    """Delete jobs nobody will look at any more, and sessions that are over."""
    delete_old()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
