"""For which project a report is looked into, and by which rules of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from django.db.models import Q

from crashes.reports.in_app import InApp
from crashes.results import Module, Thread
from crashes.rules import Rules, rules_of
from projects.access import ProjectAccess
from projects.models import Project
from symbolication.stored import access_of


@dataclass(frozen=True, slots=True)
class Context:
    """The project, as it is now, and its rules."""

    access: ProjectAccess
    rules: Rules

    @classmethod
    def of(cls, project_id: int) -> Self:
        """Read anew: what was uploaded since a crash was loaded is to be found."""
        project = Project.objects.select_related("organization").get(Q(pk=project_id))
        return cls(access_of(project), rules_of(project))

    def in_app(self, modules: Iterable[str] = ()) -> InApp:
        """What tells the application's frames from others; `modules` are the paths of those of the report."""
        return InApp.of(self.rules.in_app, self.rules.not_in_app, modules)

    def mark_native(self, threads: Sequence[Thread], modules: Sequence[Module]) -> None:
        """Note of each native frame whether it is the application's own."""
        deciding = self.in_app(module.code_file for module in modules if module.code_file)
        known: dict[str | None, bool | None] = {}
        for thread in threads:
            for frame in thread.frames:
                if frame.package not in known:
                    known[frame.package] = deciding.native(frame.package)
                frame.in_app = known[frame.package]
