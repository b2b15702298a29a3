"""Who asks, and what they may touch.

The order of the checks is the same for every endpoint: no or unknown token, or one of another organization: 401.
The scope is missing: 403. The project does not exist, or is not the token's or the member's: 404, so that an answer
never tells whether something exists that the caller may not see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from projects.models import Organization, Project


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever made a request or ran a command; what the audit trail names. `system` stands for the shell."""

    kind: Literal["token", "user", "system"]
    user_id: int | None = None
    token_id: int | None = None
    token_prefix: str = ""


SYSTEM = Actor(kind="system")


@dataclass(frozen=True, slots=True)
class OrganizationAccess:
    """An organization, opened by a token or a member. `project_id` is set when a token is bound to one project."""

    organization: Organization
    actor: Actor
    scopes: frozenset[str]
    project_id: int | None = None


@dataclass(frozen=True, slots=True)
class ProjectAccess:
    """A project, opened by a token or a member."""

    organization: Organization
    project: Project
    actor: Actor
    scopes: frozenset[str]
