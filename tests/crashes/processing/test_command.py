"""`manage.py crashes`: what was set aside, and another try."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from crashes.models import Crash
from projects.models import Project
from tests.crashes.processing.crashes import make_crash, now_of

pytestmark = pytest.mark.django_db


def run(*words: object) -> dict:
    out = StringIO()
    call_command("crashes", *map(str, words), "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def aside(acme_project: Project, umbrella_project: Project) -> list[Crash]:
    make_crash(acme_project, state=Crash.State.DONE)
    return [
        make_crash(project, state=Crash.State.SET_ASIDE, attempts=5, problem=f"Broken: {n}")
        for n, project in enumerate((acme_project, acme_project, umbrella_project))
    ]


def states(crashes: list[Crash]) -> list[str]:
    return [now_of(one).state for one in crashes]


def test_the_list_says_which_and_why(aside: list[Crash]) -> None:
    said = run("list", "--org", "acme")

    assert said["count"] == 2
    assert [(row["id"], row["project"], row["attempts"], row["problem"]) for row in said["crashes"]] == [
        (aside[0].pk, "native-app", 5, "Broken: 0"),
        (aside[1].pk, "native-app", 5, "Broken: 1"),
    ]
    assert [row["id"] for row in run("list", "--limit", 1)["crashes"]] == [aside[0].pk]


def test_the_list_can_be_read(aside: list[Crash]) -> None:
    out = StringIO()
    call_command("crashes", "list", stdout=out)

    assert out.getvalue().count("\n") == 4
    assert "umbrella/native-app" in out.getvalue()
    assert "3 crashes are set aside." in out.getvalue()


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (lambda aside: [aside[1].pk], ["set_aside", "pending", "set_aside"]),
        (lambda _: ["--org", "acme"], ["pending", "pending", "set_aside"]),
        (lambda _: ["--org", "umbrella", "--project", "native-app"], ["set_aside", "set_aside", "pending"]),
        (lambda _: ["--all"], ["pending", "pending", "pending"]),
        (lambda aside: [aside[1].pk, "--org", "umbrella"], ["set_aside", "set_aside", "set_aside"]),
    ],
    ids=["by-id", "organization", "project", "all", "id-of-another"],
)
def test_crashes_are_tried_again(aside: list[Crash], words, left: list[str]) -> None:
    said = run("retry", *words(aside))

    assert states(aside) == left
    assert said["queued"] == left.count("pending")


def test_a_retry_names_what_it_means(aside: list[Crash]) -> None:
    with pytest.raises(CommandError, match="--all"):
        run("retry")
    with pytest.raises(CommandError, match="--org"):
        run("retry", "--project", "native-app")
    assert states(aside) == ["set_aside"] * 3
