"""Who asks, by the token in the address, in the body or in a header; and about which project."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest

from crashes.answers import INVALID_TOKEN, Refusal, invalid_token
from projects.access import Actor, find_project, token_access, token_actor
from projects.models import Organization, Project
from projects.selectors import OpenedToken, TokenProblem, addresses, open_token, touch

# The other header that clients send, X-Coroner-Location, names the service that is asked: that is this one.
TOKEN_HEADER: Final = "X-Coroner-Token"  # noqa: S105 - the name of a header
_NO_PROJECT: Final = "invalid token: it opens no such universe and project"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever asks. `project` is None where a token for a whole organization named none."""

    token: str
    organization: Organization
    project: Project | None
    actor: Actor
    scopes: frozenset[str]

    @property
    def opened(self) -> Project:
        """The project that is asked about. Raises Refusal (403) without one."""
        if self.project is None:
            raise invalid_token(_NO_PROJECT)
        return self.project

    def demand(self, scope: str) -> None:
        """Raises Refusal (403) when the token lacks a scope."""
        if scope not in self.scopes:
            raise invalid_token(f"invalid token: it needs the scope {scope}")


def enter(request: HttpRequest, values: Mapping[str, str], *, any_of: Collection[str]) -> Reader:
    """The reader that a token stands for, which needs one of the scopes. `values`: what address and body say.

    The token decides. What else is named has to be its own: of another organization or project nothing is said but
    403, as Refusal.
    """
    text = values.get("token") or request.headers.get(TOKEN_HEADER, "")
    opened = open_token(text)
    if isinstance(opened, TokenProblem):
        raise invalid_token("invalid token: it has expired" if opened is TokenProblem.EXPIRED else "invalid token")
    if opened.token.scopes.isdisjoint(any_of):
        raise invalid_token(f"invalid token: it needs the scope {' or '.join(sorted(any_of))}")
    universe = values.get("universe", "")
    if universe and not addresses(opened.organization, universe.lower()):
        raise Refusal(403, INVALID_TOKEN, _NO_PROJECT)
    touch(opened.token)
    project = _project(opened, values.get("project", ""))
    return Reader(text, opened.organization, project, token_actor(opened.token), opened.token.scopes)


def _project(opened: OpenedToken, named: str) -> Project | None:
    if not named:
        return opened.project
    # Looks among what the token is bound to only.
    found = find_project(token_access(opened), named)
    if found is None:
        raise invalid_token(_NO_PROJECT)
    return found
