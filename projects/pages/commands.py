"""Lines ready to copy: what a client, a build or a shell is told, filled with this service's address and a token.

Rooms register what speaks to them, so that an empty project and a new token can show it without knowing any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from projects.models import Organization, Project

# What stands in a line as long as there is no token to show: the shell fills it in.
TOKEN: Final = "$TOKEN"  # noqa: S105 - a shell's variable
_ANY_PROJECT: Final = "PROJECT"


@dataclass(frozen=True, slots=True)
class Place:
    """Whom lines are for. `base` is the service's address without a slash at its end."""

    base: str
    organization: Organization
    project: Project | None
    token: str = TOKEN

    @property
    def slug(self) -> str:
        """The project's, or what to replace by one."""
        return _ANY_PROJECT if self.project is None else self.project.slug

    @property
    def submission(self) -> str:
        """Where Backtrace's clients send to, without the format."""
        return f"{self.base}/{self.organization.slug}/{self.token}"

    @property
    def chosen(self) -> str:
        """What goes into the query for a token that is bound to no project."""
        return f"?project={_ANY_PROJECT}" if self.project is None else ""


@dataclass(frozen=True, slots=True)
class Command:
    """Some lines. `scopes` is what their token needs, empty when they need none; `step` the step that they serve."""

    title: str
    text: str
    scopes: Collection[str] = ()
    step: str = ""


Maker = Callable[[Place], Iterable[Command]]
_makers: Final[list[Maker]] = []


def register_commands(maker: Maker) -> None:
    """Have `maker` asked for lines from now on. Once per process."""
    if maker not in _makers:
        _makers.append(maker)


def commands(place: Place) -> Iterator[Command]:
    """All lines for a place."""
    for maker in _makers:
        yield from maker(place)


def commands_of_token(place: Place, scopes: Collection[str]) -> list[Command]:
    """Those that a token with these scopes is good for."""
    return [command for command in commands(place) if command.scopes and set(command.scopes) <= set(scopes)]


def base_url(request: HttpRequest) -> str:
    """The service's address as its users see it, without a slash at its end."""
    return str(settings.ENVIRONMENT["PUBLIC_URL"] or request.build_absolute_uri("/")).rstrip("/")
