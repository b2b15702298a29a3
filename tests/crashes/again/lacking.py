"""Crashes that lack files, and arrivals of these, as rows."""

from __future__ import annotations

import itertools
from uuid import UUID, uuid4

from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from crashes.again import Revisions, record, tasks
from crashes.again.lacks import Lack, LackKind
from crashes.again.queueing import QUEUE
from crashes.models import Crash, CrashLack
from debugfiles.arrivals import ArrivalKind, Arrived, announce
from debugfiles.models import Blob, DebugFile
from debugfiles.recording import count_change
from tests.crashes.processing.crashes import make_crash

NOTHING_SEEN = Revisions()
_numbers = itertools.count(1)


def lack(debug_uuid: UUID | None = None, name: str = "app.pdb", age: int = 0, **fields) -> Lack:
    """A native module's debug file."""
    debug_uuid = debug_uuid or uuid4()
    debug_id = f"{debug_uuid}-{age:x}" if age else str(debug_uuid)
    given = {"kind": LackKind.DEBUG_FILE, "module": {"type": "pe", "debug_id": debug_id, "debug_file": name}}
    return Lack(name=name, debug_id=debug_id, debug_uuid=debug_uuid, **given | fields)


def script(name: str = "https://example.com/app.js", **fields) -> Lack:
    return Lack(LackKind.SOURCE_MAP, name, **fields)


def crash_lacking(project, *lacks: Lack, state=Crash.State.DONE, seen=NOTHING_SEEN, **fields) -> Crash:
    """A crash that was processed before any file came."""
    with transaction.atomic():
        crash = make_crash(project, state=state, **fields)
        record(crash, lacks, seen)
    return crash


def lacked_by(crash) -> set[str]:
    return set(CrashLack.objects.filter(crash=crash).values_list("file__debug_id", flat=True))


def make_file(project, debug_uuid=None, age=0, code_id="") -> Arrived:
    """A row like an upload's, with what the upload says and counts; in one transaction."""
    with transaction.atomic():
        number = next(_numbers)
        blob, _ = Blob.objects.get_or_create(
            sha256=f"{number:064x}", defaults={"sha1": f"{number:040x}", "size": 1, "key": f"none/{number}"}
        )
        row = DebugFile.objects.create(
            project=project,
            blob=blob,
            object_size=1,
            debug_id=str(debug_uuid or ""),
            debug_uuid=debug_uuid,
            debug_appendix=age,
            code_id=code_id,
            file_types=["pdb"],
            symbol_type="pdb",
            object_name="app.pdb",
            checksum=f"{number:040x}",
        )
        arrived = Arrived(project.pk, ArrivalKind.DEBUG_FILES, (row.pk,))
        announce(arrived)
        count_change(project)
    return arrived


_RUN = {task.name: task.func for task in (tasks.arrived, tasks.look, tasks.advance, tasks.tend_reruns)}


def run_jobs(times: int = 20) -> int:
    """Run what waits in the queue, oldest first, in this thread; how many there were."""
    done = 0
    for _ in range(times):
        jobs = list(ProcrastinateJob.objects.filter(queue_name=QUEUE, status="todo").order_by("id"))
        if not jobs:
            return done
        for job in jobs:
            # Gone first, as for its own queueing lock: a job that defers itself is another one.
            delete_job(job.pk)
            _RUN[job.task_name](**job.args)
            done += 1
    raise AssertionError("jobs without end")


def delete_job(pk: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_events WHERE job_id = %s", [pk])
        cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [pk])


def forget_jobs() -> None:
    for pk in ProcrastinateJob.objects.filter(task_name=tasks.arrived.name).values_list("pk", flat=True):
        delete_job(pk)


def states(*crashes) -> list[str]:
    found = dict(Crash.objects.filter(pk__in=[crash.pk for crash in crashes]).values_list("pk", "state"))
    return [found[crash.pk] for crash in crashes]
