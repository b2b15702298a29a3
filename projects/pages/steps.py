"""What to do with a new project, one step after the other, and what is done of it. Rooms register their steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q
from django.utils import timezone

from projects.models import ApiToken, Project
from projects.pages.commands import Command, Place, commands
from projects.pages.tabs import ShownTab


@dataclass(frozen=True, slots=True)
class Step:
    """`tab` is the name of the tab where it is done by hand; `done` costs one small query."""

    name: str
    title: str
    text: str
    tab: str
    place: int
    done: Callable[[Project], bool]


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step as it is shown. `address` is empty for who may not open its tab."""

    step: Step
    done: bool
    address: str
    commands: Sequence[Command]


_steps: Final[dict[str, Step]] = {}


def register_step(step: Step) -> None:
    """Show a step from now on. Once per process."""
    _steps[step.name] = step


def steps_of(place: Place, project: Project, tabs: Sequence[ShownTab]) -> list[ShownStep]:
    """All steps of a project, in their order."""
    lines = list(commands(place))
    addresses = {tab.name: tab.address for tab in tabs}
    return [
        ShownStep(
            step,
            step.done(project),
            addresses.get(step.tab, ""),
            [line for line in lines if line.step == step.name],
        )
        for step in sorted(_steps.values(), key=lambda step: step.place)
    ]


def has_token(project: Project) -> bool:
    """Whether some token can touch the project."""
    now = timezone.now()
    usable = ApiToken.objects.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=now))
    return usable.filter(Q(project=project) | Q(project=None, organization_id=project.organization_id)).exists()
