"""What a list of projects says about each: figures that rooms register."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from projects.models import Project


@dataclass(frozen=True, slots=True)
class Glance:
    """A figure of a project. `more`: nobody counted beyond; `counts`, if there are any, are its course, newest last."""

    label: str
    value: int
    more: bool = False
    counts: Sequence[int] = field(default=())


# The figures by project id. One call is for all projects of a page.
Glancing = Callable[[Sequence[Project]], Mapping[int, Sequence[Glance]]]
_known: Final[list[Glancing]] = []


def register_glance(glancing: Glancing) -> None:
    """Ask `glancing` from now on. Once per process."""
    if glancing not in _known:
        _known.append(glancing)


def glances_at(projects: Sequence[Project]) -> dict[int, list[Glance]]:
    """All figures of projects, by id."""
    found: dict[int, list[Glance]] = {project.pk: [] for project in projects}
    for glancing in _known:
        for key, glances in glancing(projects).items():
            found[key].extend(glances)
    return found
