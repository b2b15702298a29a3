"""What this room adds to the pages: its tabs, its first step, and what a token is told."""

from __future__ import annotations

from collections.abc import Iterator

from projects.api import ADMINISTRATE, READ_ORGANIZATION, READ_PROJECTS
from projects.pages.commands import TOKEN, Command, Place, register_commands
from projects.pages.steps import Step, has_token, register_step
from projects.pages.tabs import Tab, register_tab
from projects.token_api import ADMINISTRATE_TOKENS

_TABS = (
    Tab("Projects", "pages:organization", READ_PROJECTS, 0, whole=True),
    Tab("Members", "pages:members", READ_ORGANIZATION, 70, whole=True),
    Tab("Tokens", "pages:tokens", ADMINISTRATE_TOKENS, 80, whole=True),
    Tab("Audit", "pages:trail", ADMINISTRATE, 90, whole=True),
    Tab("Overview", "pages:project", READ_PROJECTS, 0),
    Tab("Tokens", "pages:project-tokens", ADMINISTRATE_TOKENS, 85),
    Tab("Settings", "pages:project-settings", ("project:write",), 90),
)
_STEP = Step(
    "token",
    "Make a token",
    "Programs show who they are by a token: one for the build that uploads symbols, one for the clients that send"
    " crashes. Each page of a new token has these lines filled in with it.",
    "Tokens",
    10,
    has_token,
)


def register() -> None:
    """Once per process."""
    for tab in _TABS:
        register_tab(tab)
    register_step(_STEP)
    register_commands(lines)


def lines(place: Place) -> Iterator[Command]:
    """A token for the shell, and whether it works."""
    if place.token == TOKEN:
        yield Command("In the shell of the build", "export TOKEN=…", (), "token")
    yield Command(
        "Whether it works",
        f'curl -H "Authorization: Bearer {place.token}" {place.base}/api/0/',
        ("project:read",),
        "token",
    )
