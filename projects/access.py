"""Who asks, and what they may touch.

The order of the checks is the same for every endpoint. By token: no or unknown token, or one of another organization:
401; the scope is missing: 403; the project does not exist or is not the token's: 404. By session: the organization does
not exist or the member is not in it: 404; the role lacks the scope: 403; the project does not exist: 404. An answer
never tells whether something exists that the caller may not see.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from django.db.models import Q
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from core.api import MissingScope, not_found
from projects.authentication import token_failure
from projects.models import Membership, Organization, Project
from projects.scopes import ROLE_SCOPES
from projects.selectors import OpenedToken, TokenFacts, TokenProblem, addresses
from projects.slugs import parse_ref


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


def open_organization(
    request: Request, organization: str, *, any_of: Collection[str], whole: bool = False
) -> OrganizationAccess:
    """The organization that `organization` (id or slug) addresses, for a caller with one of the scopes `any_of`.

    `whole`: what is asked for concerns more than one project, so a token bound to a project is refused.
    Raises NotAuthenticated and AuthenticationFailed (401), NotFound (404), MissingScope (403), in the module's order.
    """
    access = _opened(request, organization)
    _demand(access, any_of)
    if whole and access.project_id is not None:
        raise MissingScope(any_of)
    return access


def open_project(request: Request, organization: str, project: str, *, any_of: Collection[str]) -> ProjectAccess:
    """The project that `organization` and `project` (ids or slugs) address, for a caller with one of `any_of`.

    Raises NotAuthenticated and AuthenticationFailed (401), MissingScope (403), NotFound (404), in the module's order.
    """
    access = open_organization(request, organization, any_of=any_of)
    opened = request.auth
    if isinstance(opened, OpenedToken) and opened.project_ref == project:
        found = opened.project
    else:
        found = find_project(access, project)
    if found is None:
        raise not_found()
    return ProjectAccess(access.organization, found, access.actor, access.scopes)


def project_by_token(
    opened: OpenedToken, organization: str, project: str, *, any_of: Collection[str]
) -> ProjectAccess | None:
    """As `open_project` by a token that was opened for `project`; None for what that refuses."""
    found = opened.project
    if found is None or opened.project_ref != project or opened.token.scopes.isdisjoint(any_of):
        return None
    if not addresses(opened.organization, organization):
        return None
    return ProjectAccess(opened.organization, found, token_actor(opened.token), opened.token.scopes)


def open_own_organization(request: Request, *, any_of: Collection[str]) -> OrganizationAccess:
    """The organization of the request's token, for endpoints whose address names none.

    Raises NotAuthenticated (401; a session does not say which organization is meant) and MissingScope (403).
    """
    if not isinstance(request.auth, OpenedToken):
        raise NotAuthenticated
    access = token_access(request.auth)
    _demand(access, any_of)
    return access


def token_access(opened: OpenedToken) -> OrganizationAccess:
    """What a usable token gives access to."""
    return OrganizationAccess(
        opened.organization, token_actor(opened.token), opened.token.scopes, opened.token.project_id
    )


def token_actor(token: TokenFacts) -> Actor:
    """The token as the audit trail names it."""
    return Actor(kind="token", token_id=token.id, token_prefix=token.prefix)


def find_project(access: OrganizationAccess, ref: str) -> Project | None:
    """The project of the opened organization that `ref` (id or slug) addresses and a bound token is bound to."""
    parsed = parse_ref(ref)
    if parsed is None:
        return None
    found = Project.objects.filter(_by(parsed), organization=access.organization).first()
    if found is None or access.project_id not in (None, found.id):
        return None
    found.organization = access.organization
    return found


def _opened(request: Request, organization: str) -> OrganizationAccess:
    opened = request.auth
    if not isinstance(opened, OpenedToken):
        return _by_membership(request, organization)
    if not addresses(opened.organization, organization):
        raise token_failure(TokenProblem.OTHER_ORGANIZATION)
    return token_access(opened)


def _by_membership(request: Request, organization: str) -> OrganizationAccess:
    user_id = getattr(request.user, "id", None)
    if user_id is None:
        raise NotAuthenticated
    ref = parse_ref(organization)
    if ref is None:
        raise not_found()
    memberships = Membership.objects.select_related("organization")
    membership = memberships.filter(_by(ref, "organization__"), user_id=user_id).first()
    if membership is None:
        raise not_found()
    return OrganizationAccess(membership.organization, Actor("user", user_id), ROLE_SCOPES[membership.role])


def _by(ref: int | str, prefix: str = "") -> Q:
    return Q(**{f"{prefix}{'id' if isinstance(ref, int) else 'slug'}": ref})


def _demand(access: OrganizationAccess, any_of: Collection[str]) -> None:
    if access.scopes.isdisjoint(any_of):
        raise MissingScope(any_of)
