"""What is looked after every minute: runs that stand still or are done, and files that nobody lacks any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from crashes.again.reruns import ENDED, advance_later, close_finished
from crashes.models import CrashLack, LackedFile, Rerun

# A file that was missed just now may not have its crash yet.
_SWEPT_AFTER: Final = timedelta(hours=1)
_MOST_SWEPT: Final = 1_000
# How long runs that ended are shown, and how many of a pass are forgotten.
_KEPT: Final = timedelta(days=30)
_MOST_FORGOTTEN: Final = 1_000


def tend() -> None:
    """Every part is bounded; what is left over waits for the next minute."""
    running = Rerun.objects.filter(kind=Rerun.Kind.PROCESS, state=Rerun.State.RUNNING).order_by("pk")
    for rerun_id in running.values_list("pk", flat=True)[:_MOST_FORGOTTEN]:
        advance_later(rerun_id)
    close_finished()
    forget_ended()
    sweep_lacked_files()


def forget_ended() -> int:
    """Delete runs that ended long ago; how many."""
    old = Rerun.objects.filter(state__in=ENDED, finished_at__lt=Now() - _KEPT).order_by("pk")
    count, _ = Rerun.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:_MOST_FORGOTTEN])).delete()
    return count


def sweep_lacked_files() -> int:
    """Delete lacked files that no crash lacks; how many.

    The rows are locked first and looked at again then: a crash that begins to lack one meanwhile holds it, and one that
    comes later finds it gone and makes another.
    """
    lacks = CrashLack.objects.filter(file=OuterRef("pk"))
    unused = LackedFile.objects.filter(~Exists(lacks), first_missed_at__lt=Now() - _SWEPT_AFTER).order_by("pk")
    candidates = list(unused.values_list("pk", flat=True)[:_MOST_SWEPT])
    if not candidates:
        return 0
    with transaction.atomic():
        held = LackedFile.objects.select_for_update(skip_locked=True).filter(pk__in=candidates)
        ids = list(held.order_by("pk").values_list("pk", flat=True))
        count, _ = LackedFile.objects.filter(~Exists(lacks), pk__in=ids).delete()
    return count
