"""What this room adds to the pages: its tabs, the step of a new project, and a line to copy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from projects.models import Project
from projects.pages import Tab, register_tab
from projects.pages.commands import Command, Place, register_commands
from projects.pages.steps import Step, register_step
from sources.api import ORGANIZATION_SCOPES, PROJECT_SCOPES
from sources.models import SymbolSource

_TAB: Final = "Symbol sources"
_STEP: Final = "sources"


def register() -> None:
    """Once per process."""
    register_tab(Tab(_TAB, "source_pages:project_list", PROJECT_SCOPES["GET"], 30))
    register_tab(Tab(_TAB, "source_pages:organization_list", ORGANIZATION_SCOPES["GET"], 30, whole=True))
    register_step(
        Step(
            _STEP,
            "Add symbol sources",
            "Where debug files lie that you do not upload: your symbol server or bucket, and the public servers for the"
            " system's libraries.",
            _TAB,
            20,
            _has_sources,
        )
    )
    register_commands(lines)


def lines(place: Place) -> Iterator[Command]:
    """How a program chooses built-in sources."""
    if place.project is not None:
        yield Command(
            "Ask Microsoft's and Ubuntu's public servers",
            f'curl -X PUT -H "Authorization: Bearer {place.token}" -H "Content-Type: application/json" '
            '-d \'{"builtinSymbolSources": ["microsoft", "ubuntu"]}\' '
            f"{place.base}/api/0/projects/{place.organization.slug}/{place.slug}/",
            ("project:write",),
            _STEP,
        )


def _has_sources(project: Project) -> bool:
    if project.builtin_sources:
        return True
    return SymbolSource.objects.filter(organization_id=project.organization_id, project_id=project.pk).exists() or (
        SymbolSource.objects.filter(organization_id=project.organization_id, project=None).exists()
    )
