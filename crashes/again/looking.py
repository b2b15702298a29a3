"""Looking once more at what came while a crash was processed."""

from __future__ import annotations

from django.db import transaction

from crashes.again import gap, matching
from crashes.again.queueing import AGAIN
from crashes.models import Crash, LackedFile
from crashes.processing.queueing import queue


def look_once_more(crash: Crash, files_revision: int, sources_revision: int) -> None:
    """Have a crash processed again if what it lacked came meanwhile. After the commit of what it lacks.

    The revisions are the project's as read before its files were asked for: while they stay the same this is one query.
    `record` has made sure already that somebody looks: this is only sooner.
    """
    if gap.revisions_of(crash.project_id).files != files_revision:
        look(crash.pk)


def look(crash_id: int) -> bool:
    """Queue the crash if it was processed before files came that it lacks; False where nothing is to be done.

    One that waits, or is being processed, is left alone: it will see what is there, or look itself.
    """
    with transaction.atomic():
        crash = Crash.objects.select_for_update().filter(pk=crash_id, state=Crash.State.DONE).first()
        if crash is None:
            return False
        revision = gap.revisions_of(crash.project_id).files
        files = list(LackedFile.objects.filter(lacks__crash=crash, lacks__files_revision__lt=revision))
        if not matching.stored(crash.project_id, files):
            return False
        return bool(queue([crash.pk], priority=AGAIN, rerun=None))
