"""What comes in and goes out by the REST API, as typed structs. Ids are strings, as clients of Sentry expect."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from django.contrib.auth.models import User
from msgspec import Meta

from core.openapi import ArrayOf
from projects import models
from projects.access import OrganizationAccess
from projects.models import NAME_LENGTH, SLUG_LENGTH
from projects.scopes import ROLE_SCOPES, SCOPES
from projects.services import PLATFORM_LENGTH

Name = Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH)]
Slug = Annotated[str, Meta(min_length=1, max_length=SLUG_LENGTH, pattern=r"^(?![0-9]+$)[a-z0-9][a-z0-9_-]*$")]
Moment = Annotated[datetime, Meta(tz=True)]


class NewProject(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A project to create. Without a slug one is made from the name."""

    name: Name
    slug: Slug | None = None
    platform: Annotated[str, Meta(max_length=PLATFORM_LENGTH)] | None = None


class NewToken(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A token to create. `project` (id or slug) binds it to one project; without `expiresAt` it never expires."""

    scopes: Annotated[list[str], Meta(min_length=1, max_length=len(SCOPES))]
    name: Annotated[str, Meta(max_length=NAME_LENGTH)] = ""
    project: str | None = None
    expires_at: Moment | None = None


class AuthView(msgspec.Struct):
    """The scopes of the request's token."""

    scopes: list[str]


class UserView(msgspec.Struct):
    """A member."""

    id: str
    email: str


class IndexView(msgspec.Struct):
    """Who makes the request: `auth` for a token, `user` for a member who signed in."""

    version: str
    auth: AuthView | None
    user: UserView | None


class OrganizationView(msgspec.Struct):
    """An organization, with the fields that sentry-cli demands."""

    id: str
    slug: str
    name: str
    date_created: datetime = msgspec.field(name="dateCreated")
    is_early_adopter: bool = msgspec.field(name="isEarlyAdopter", default=False)
    require_2fa: bool = msgspec.field(name="require2FA", default=False)
    require_email_verification: bool = msgspec.field(name="requireEmailVerification", default=False)
    features: list[str] = []


class Organizations(ArrayOf):
    item = OrganizationView


class ProjectView(msgspec.Struct, rename="camel"):
    """A project."""

    id: str
    slug: str
    name: str
    platform: str | None
    date_created: datetime


class Projects(ArrayOf):
    item = ProjectView


class TokenView(msgspec.Struct, rename="camel", kw_only=True):
    """A token, without its text. `prefix`, its first 8 characters, is its visible name."""

    id: str
    prefix: str
    name: str
    scopes: list[str]
    project: str | None
    created_by: str | None
    date_created: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class Tokens(ArrayOf):
    item = TokenView


class IssuedToken(TokenView, rename="camel", kw_only=True):
    """A new token with its text, which is shown this once."""

    token: str


class ActorView(msgspec.Struct):
    """Who wrote: a token, a member, or the system's shell."""

    kind: Literal["token", "user", "system"]
    email: str | None
    token: str | None


class AuditView(msgspec.Struct, rename="camel"):
    """One write. `data` is what changed, secrets masked."""

    id: str
    action: str
    target: str
    project: str | None
    actor: ActorView
    data: dict[str, Any]
    date_created: datetime


class AuditEntries(ArrayOf):
    item = AuditView


class ScopeView(msgspec.Struct):
    """A scope, what it allows, the roles that have it, and whether the caller has it."""

    scope: str
    text: str
    roles: list[str]
    granted: bool


class Scopes(ArrayOf):
    item = ScopeView


def organization_view(organization: models.Organization) -> OrganizationView:
    """`organization` as it goes out."""
    return OrganizationView(str(organization.id), organization.slug, organization.name, organization.created_at)


def project_view(project: models.Project) -> ProjectView:
    """`project` as it goes out."""
    platform = project.platform or None
    return ProjectView(str(project.id), project.slug, project.name, platform, project.created_at)


def token_view(token: models.ApiToken) -> TokenView:
    """`token` as it goes out; its project and creator should have been fetched with it."""
    return TokenView(**_token_fields(token))


def issued_token(token: models.ApiToken, text: str) -> IssuedToken:
    """A new token with its text."""
    return IssuedToken(**_token_fields(token), token=text)


def _token_fields(token: models.ApiToken) -> dict[str, Any]:
    return {
        "id": str(token.id),
        "prefix": token.prefix,
        "name": token.name,
        "scopes": list(token.scopes),
        "project": token.project.slug if token.project else None,
        "created_by": token.created_by.email if token.created_by else None,
        "date_created": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
    }


def audit_view(entry: models.AuditEntry) -> AuditView:
    """`entry` as it goes out; its project and user should have been fetched with it."""
    return AuditView(
        str(entry.id),
        entry.action,
        entry.target,
        entry.project.slug if entry.project else None,
        _actor_view(entry),
        entry.data,
        entry.created_at,
    )


def _actor_view(entry: models.AuditEntry) -> ActorView:
    if entry.token_prefix:
        return ActorView("token", None, entry.token_prefix)
    if entry.user is None:
        return ActorView("system", None, None)
    return ActorView("user", entry.user.email, None)


def user_view(user: User) -> UserView:
    """`user` as it goes out."""
    return UserView(str(user.pk), user.email)


def scope_views(access: OrganizationAccess) -> list[ScopeView]:
    """Every scope there is, as the caller has it."""
    return [
        ScopeView(scope, text, [role for role, held in ROLE_SCOPES.items() if scope in held], scope in access.scopes)
        for scope, text in SCOPES.items()
    ]
