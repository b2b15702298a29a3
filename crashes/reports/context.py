"""For which project a report is looked into, and by which rules of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from core.postgresql.direct import first_row
from core.postgresql.loading import Loading
from crashes.reports.in_app import InApp
from crashes.results import Module, Thread
from crashes.rules import Rules, rules_of
from projects.access import ProjectAccess
from projects.models import Organization, Project
from symbolication.stored import access_of

_STATEMENT: Final = """
SELECT {columns} FROM projects_project
JOIN projects_organization ON projects_organization.id = projects_project.organization_id
WHERE projects_project.id = %s
"""


@dataclass(frozen=True, slots=True)
class Context:
    """The project, as it is now, and its rules."""

    access: ProjectAccess
    rules: Rules

    @classmethod
    def of(cls, project_id: int) -> Self:
        """Read anew: what was uploaded since a crash was loaded is to be found. Raises Project.DoesNotExist."""
        projects, organizations = _loading()
        row = first_row(_STATEMENT.format(columns=f"{projects.columns}, {organizations.columns}"), (project_id,))
        if row is None:
            raise Project.DoesNotExist
        project = projects.made(row[: projects.width])
        project.organization = organizations.made(row[projects.width :])
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


@lru_cache(maxsize=1)
def _loading() -> tuple[Loading[Project], Loading[Organization]]:
    return Loading(Project), Loading(Organization)
