"""Writes about one crash that API and pages share."""

from __future__ import annotations

from typing import Final

from django.db import transaction

from core.api import ApiError
from crashes.models import Crash
from crashes.processing.queueing import queue
from projects import audit
from projects.access import ProjectAccess

# Before what was processed again by a run over many.
_PRIORITY: Final = 0


def process_again(*, access: ProjectAccess, crash: Crash) -> None:
    """Have a crash processed with the files and sources as they are now. Raises ApiError (409) where nothing can be.

    A crash that was set aside gets all its tries again.
    """
    with transaction.atomic():
        if not queue([crash.pk], priority=_PRIORITY, rerun=None):
            raise ApiError("A report of this format is kept as it came.", status=409, code="kept")
        audit.record(
            organization=access.organization,
            project=access.project,
            actor=access.actor,
            action="crash.processed_again",
            target=crash.rxid,
            data={"crash": crash.pk},
        )
