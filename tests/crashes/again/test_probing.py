"""Sources that answer later: asked again with growing pauses, at once when they change, and some day no more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from crashes.again import Revisions, probing
from crashes.again.asking import Probed, ask
from crashes.again.probing import probe_due
from crashes.again.sources_seen import make_due_after_changes
from crashes.models import Crash, LackedFile, Rerun
from projects.models import Organization, Project
from tests.cast import make_project
from tests.crashes.again.lacking import crash_lacking, lack, run_jobs, states

pytestmark = pytest.mark.django_db

VAIN = Probed(next_try_at=None, cause="It is not there.", remedy="Put it there.")
FOUND = Probed(found=True, source="Our server")
PENDING, DONE = Crash.State.PENDING, Crash.State.DONE


class Answers(dict):
    """What a lookup of a file says, by its name; `asked` are those that were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def look(self, file, _seconds):
        self.asked.append(file.name)
        answer = self.get(file.name, VAIN)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def answers(monkeypatch):
    told = Answers()
    monkeypatch.setattr(probing, "ask", told.look)
    return told


def due(project, name="a.pdb", **fields):
    return crash_lacking(project, lack(name=name, next_try_at=timezone.now()), **fields)


def minutes_left(name="a.pdb"):
    file = LackedFile.objects.get(name=name)
    return file.next_probe_at and round((file.next_probe_at - timezone.now()).total_seconds() / 60)


def test_a_file_that_a_source_has_now_is_given_to_those_who_lack_it(answers, acme_project):
    answers["a.pdb"] = FOUND
    lacking, other = due(acme_project), due(acme_project, "b.pdb")
    assert probe_due() == probing.Round(probed=2, found=1)
    run_jobs()
    assert states(lacking, other) == [PENDING, DONE]
    assert Rerun.objects.get().reason == "a.pdb was found on “Our server”"


def test_only_what_is_due_is_asked_for(answers, acme_project):
    crash_lacking(acme_project, lack(), lack(next_try_at=timezone.now() + timedelta(minutes=1)))
    assert probe_due() == probing.Round()


def test_pauses_grow_to_a_day(answers, acme_project):
    due(acme_project)
    seen = []
    for _ in range(11):
        LackedFile.objects.update(next_probe_at=timezone.now())
        probe_due()
        seen.append(minutes_left())
    assert seen == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]
    assert LackedFile.objects.get().cause == "It is not there."


def test_a_source_that_says_when_to_ask_is_not_asked_before(answers, acme_project):
    answers["a.pdb"] = Probed(next_try_at=timezone.now() + timedelta(hours=1))
    due(acme_project)
    probe_due()
    assert minutes_left() == 60


@pytest.mark.parametrize("answer", [Probed(nobody=True), None], ids=["nobody to ask", "nobody missed it for weeks"])
def test_a_file_is_asked_for_no_more(answer, answers, acme_project):
    if answer is not None:
        answers["a.pdb"] = answer
    due(acme_project, received_at=timezone.now() - timedelta(weeks=4 if answer is None else 0))
    probe_due()
    assert LackedFile.objects.get().next_probe_at is None
    # A new crash that misses it begins anew.
    with_it = LackedFile.objects.get()
    again = lack(with_it.debug_uuid, name="a.pdb", next_try_at=timezone.now())
    crash_lacking(acme_project, again)
    assert LackedFile.objects.get().next_probe_at is not None


def test_a_lookup_that_fails_keeps_no_other_from_being_asked_for(answers, acme_project):
    answers["a.pdb"] = OSError("the disk is gone")
    due(acme_project)
    due(acme_project, "b.pdb")
    assert probe_due().probed == 2
    assert minutes_left() == 5


def test_each_project_has_its_turn(answers, acme, acme_project, monkeypatch):
    monkeypatch.setattr(probing, "MOST_A_ROUND", 3)
    for name in ("a.pdb", "b.pdb", "c.pdb"):
        due(acme_project, name)
    due(make_project(acme, "other"), "other.pdb")
    probe_due()
    assert "other.pdb" in answers.asked
    assert len(answers.asked) == 3


def test_what_a_round_had_no_time_for_stays_due(answers, acme_project, monkeypatch):
    monkeypatch.setattr(probing, "ROUND_SECONDS", -1.0)
    due(acme_project)
    assert probe_due() == probing.Round()
    assert minutes_left() == 0


def make_all_wait(**fields):
    LackedFile.objects.update(next_probe_at=timezone.now() + timedelta(days=1), probes=7, **fields)


@pytest.mark.parametrize("owner", [Project, Organization])
def test_sources_that_changed_are_asked_soon(owner, answers, acme, acme_project, umbrella_project):
    for project in (acme_project, umbrella_project):
        due(project, f"{project.pk}.pdb")
    make_due_after_changes()
    make_all_wait()
    assert make_due_after_changes() == 0
    owner.objects.filter(slug__in=["acme", "native-app"], **_of(acme, owner)).update(
        sources_revision=F("sources_revision") + 1
    )
    assert make_due_after_changes() == 1
    assert probe_due().probed == 1
    assert answers.asked == [f"{acme_project.pk}.pdb"]


def _of(acme, owner):
    return {"pk": acme.pk} if owner is Organization else {"organization": acme}


def test_what_had_nobody_to_ask_is_asked_for_when_a_source_is_added_while_it_is_processed(answers, acme_project):
    crash_lacking(acme_project, lack(name="a.pdb"), seen=Revisions(sources=-1))
    assert probe_due().probed == 1


def test_a_project_without_sources_has_nobody_to_ask(acme_project):
    crash_lacking(acme_project, lack())
    said = ask(LackedFile.objects.select_related("project__organization").get(), 5.0)
    assert (said.found, said.nobody) == (False, True)
    assert said.remedy
