"""What came: the crashes that lacked it are processed again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import transaction

from core.background import defer
from crashes.again import gap, matching, tasks
from crashes.again.choosing import Plan, lacks_of
from crashes.again.reruns import begin
from crashes.models import LackedFile, Rerun
from debugfiles.arrivals import ArrivalKind, Arrived

_NAMED: Final = 3


def listen(arrived: Arrived) -> None:
    """Defer the job, in the transaction of the upload: it exists if and only if the files do and may be lacked."""
    if (
        arrived.kind is ArrivalKind.DEBUG_FILES
        and gap.close(arrived.project_id)
        and not matching.may_be_lacked(arrived)
    ):
        return
    rows = ",".join(str(pk) for pk in arrived.row_ids)
    defer(tasks.arrived, project_id=arrived.project_id, kind=arrived.kind.value, rows=rows)


def read(project_id: int, kind: str, rows: str) -> Arrived:
    """What `listen` was told."""
    return Arrived(project_id, ArrivalKind(kind), tuple(int(pk) for pk in rows.split(",") if pk))


def rerun_for(arrived: Arrived) -> Rerun | None:
    """A run for the crashes that lacked what arrived; None when there are none. Run twice it makes one."""
    gap.wait(arrived.project_id)
    revision = gap.revisions_of(arrived.project_id).files
    files = matching.lacked(arrived)
    cause = f"{arrived.kind.value}:{','.join(map(str, arrived.row_ids))}"
    plan = Plan(files=tuple(files), revision=revision, cause=cause)
    if not files or not lacks_of(plan).exists():
        return None
    with transaction.atomic():
        if Rerun.objects.filter(project_id=arrived.project_id, chosen__cause=cause).exists():
            return None
        return begin(arrived.project_id, plan, f"{names(files)} was uploaded")


def names(files: Sequence[int]) -> str:
    """The first names of lacked files, for people."""
    shown = sorted(set(LackedFile.objects.filter(pk__in=files).values_list("name", flat=True)))
    short = [name.replace("\\", "/").rpartition("/")[2] or "a file" for name in shown]
    rest = f" and {len(short) - _NAMED} more" if len(short) > _NAMED else ""
    return ", ".join(short[:_NAMED]) + rest
