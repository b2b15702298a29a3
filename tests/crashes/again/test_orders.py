"""No wake-up is lost, in whatever order a crash and a file commit: every order of their steps is gone through."""

from __future__ import annotations

import itertools
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from crashes.again import arriving, recording, reruns
from crashes.models import Crash, CrashLack
from crashes.processing import committing, working
from crashes.processing.claims import claim
from crashes.reports import Facts, Outcome
from crashes.results import Result
from debugfiles.models import DebugFile
from tests.crashes.again.lacking import crash_lacking, forget_jobs, lack, make_file, run_jobs
from tests.crashes.again.stepping import Actor, checkpoint
from tests.crashes.processing.crashes import make_crash

pytestmark = pytest.mark.django_db(transaction=True)

# What lies between two of these steps touches nothing that the other one sees: a crash reads revisions, asks for files
# and begins to store, looks under the lock, commits; a file is written, committed, its crashes are found, and queued.
CRASH_STEPS = 4
FILE_STEPS = 4
ORDERS = [
    "".join("C" if at in places else "F" for at in range(CRASH_STEPS + FILE_STEPS))
    for places in itertools.combinations(range(CRASH_STEPS + FILE_STEPS), CRASH_STEPS)
]


class Processing:
    """Processing whose report asks for one file; counts how often it is done, and how often in vain."""

    def __init__(self, monkeypatch) -> None:
        self.wanted: dict[int, UUID] = {}
        self.looked: list[bool] = []
        monkeypatch.setattr(working, "examine", self._examine)
        monkeypatch.setattr(committing, "assign", lambda *_: False)
        _stop_before(monkeypatch, recording, "held_revisions_of")
        _stop_after(monkeypatch, recording, "held_revisions_of")

    def _examine(self, crash, _deadline):
        checkpoint()
        there = DebugFile.objects.filter(project=crash.project_id, debug_uuid=self.wanted[crash.pk]).exists()
        self.looked.append(there)
        facts = Facts(platform="native", version="", os_name="", arch="", frame_count=1, unnamed_count=0)
        return Outcome(Result(), facts, () if there else (lack(self.wanted[crash.pk]),))

    def drain(self) -> None:
        """Run all jobs, and process all crashes that wait, until nothing is left."""
        while run_jobs() or self._work():
            pass

    def _work(self) -> bool:
        claimed = claim()
        if claimed is not None:
            working.process(claimed)
        return claimed is not None


def _stop_before(monkeypatch, module, name):
    real = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *given: (checkpoint(), real(*given))[1])


def _stop_after(monkeypatch, module, name):
    real = getattr(module, name)

    def stopping(*given):
        found = real(*given)
        checkpoint()
        return found

    monkeypatch.setattr(module, name, stopping)


@pytest.fixture
def processing(monkeypatch):
    _stop_before(monkeypatch, arriving, "begin")
    return Processing(monkeypatch)


@pytest.mark.parametrize(("again", "orders"), [(False, ORDERS), (True, ORDERS[::5])], ids=["new", "again"])
def test_a_crash_sees_the_file_or_is_processed_once_more(again, orders, processing, acme_project):
    for order in orders:
        debug_uuid = uuid4()
        crash = _crash(acme_project, debug_uuid, again)
        processing.wanted[crash.pk] = debug_uuid
        processing.looked = []
        _go_through(order, acme_project, debug_uuid)
        processing.drain()

        crash.refresh_from_db()
        assert crash.state == Crash.State.DONE, order
        assert not CrashLack.objects.filter(crash=crash).exists(), order
        assert processing.looked in ([True], [False, True]), order


def _crash(project, debug_uuid, again):
    if not again:
        return make_crash(project)
    crash = crash_lacking(project, lack(debug_uuid))
    Crash.objects.filter(pk=crash.pk).update(state=Crash.State.PENDING)
    return crash


def _go_through(order, project, debug_uuid):
    def crash():
        working.process(claim())

    def file():
        with transaction.atomic():
            arrived = make_file(project, debug_uuid)
            checkpoint()
        checkpoint()
        # What the upload's job does, here so that it can be stopped; the job itself must not do it later as well.
        forget_jobs()
        rerun = arriving.rerun_for(arrived)
        checkpoint()
        while rerun is not None and reruns.advance(rerun.pk):
            pass

    actors = {"C": Actor(crash), "F": Actor(file)}
    for name in order:
        actors[name].step()
    for actor in actors.values():
        actor.let_go()
    for actor in actors.values():
        actor.finish()
