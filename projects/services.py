"""Every write of organizations, projects, members and tokens: one transaction and one audit entry each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.api import ApiError
from core.times import in_utc
from projects import audit, tokens
from projects.access import Actor
from projects.models import NAME_LENGTH, SLUG_LENGTH, ApiToken, Membership, Organization, Project
from projects.scopes import ROLE_SCOPES, SCOPES, unknown_scopes
from projects.slugs import RESERVED_ORGANIZATIONS, RESERVED_PROJECTS, is_slug, slug_from_name

PLATFORM_LENGTH: Final = 64
# Python knows no year after 9999, PostgreSQL does: a time zone could carry a moment over that edge.
LONGEST_LIFETIME: Final = timedelta(days=100 * 366)


def create_user(*, email: str, password: str | None) -> User:
    """Someone who can sign in, by e-mail address; without a password, once they have chosen one.

    Raises ApiError when the address is taken.
    """
    address = email.strip().lower()
    try:
        with transaction.atomic():
            user: User = get_user_model().objects.create_user(username=address, email=address, password=password)
    except IntegrityError:
        raise ApiError("email: is taken", status=409, code="taken", field="email") from None
    return user


def create_organization(*, slug: str, name: str, actor: Actor) -> Organization:
    """A new organization without members. Raises ApiError when the slug is malformed, reserved or taken."""
    _check_name(name)
    _check_slug(slug, RESERVED_ORGANIZATIONS)
    try:
        with transaction.atomic():
            organization = Organization.objects.create(slug=slug, name=name)
            audit.record(
                organization=organization, actor=actor, action="organization.created", target=slug, data={"name": name}
            )
    except IntegrityError:
        raise _taken() from None
    return organization


def create_project(
    *, organization: Organization, name: str, actor: Actor, slug: str | None = None, platform: str = ""
) -> Project:
    """A new project. Without a slug one is made from the name, numbered where that is taken.

    Raises ApiError when a field is malformed, or the slug that was asked for is reserved or taken.
    """
    _check_name(name)
    _check_platform(platform)
    if slug is not None:
        _check_slug(slug, RESERVED_PROJECTS)
    with transaction.atomic():
        # Held until the end, so that two writers cannot find the same number free.
        Organization.objects.select_for_update().get(id=organization.id)
        chosen = _free_slug(organization, name) if slug is None else slug
        if Project.objects.filter(organization=organization, slug=chosen).exists():
            raise _taken()
        project = Project.objects.create(organization=organization, slug=chosen, name=name, platform=platform)
        data = {"name": name, "platform": platform}
        audit.record(
            organization=organization, project=project, actor=actor, action="project.created", target=chosen, data=data
        )
    return project


def update_project(
    *,
    project: Project,
    actor: Actor,
    name: str | None = None,
    platform: str | None = None,
    builtin_sources: Sequence[str] | None = None,
) -> Project:
    """Changes what is given; None leaves as is. The caller has checked the keys of `builtin_sources`.

    Another choice of built-in sources counts as a change of the project's sources. Raises ApiError for bad fields.
    """
    if name is not None:
        _check_name(name)
    if platform is not None:
        _check_platform(platform)
    given = {
        "name": name,
        "platform": platform,
        "builtin_sources": None if builtin_sources is None else list(builtin_sources),
    }
    with transaction.atomic():
        current = Project.objects.select_for_update(of=("self",)).select_related("organization").get(id=project.id)
        changed = {key: value for key, value in given.items() if value is not None and value != getattr(current, key)}
        if changed:
            _store(current, changed, actor)
    return current


def _store(project: Project, changed: Mapping[str, str | list[str]], actor: Actor) -> None:
    for key, value in changed.items():
        setattr(project, key, value)
    if "builtin_sources" in changed:
        project.sources_revision += 1
    project.save(update_fields=[*changed, "sources_revision"])
    audit.record(
        organization=project.organization,
        project=project,
        actor=actor,
        action="project.changed",
        target=project.slug,
        data=changed,
    )


def add_member(*, organization: Organization, user: User, role: str, actor: Actor) -> Membership:
    """Makes `user` a member with `role`, or gives a member another role. Raises ApiError for an unknown role."""
    if role not in ROLE_SCOPES:
        raise ApiError("role: is not one of the allowed values", field="role")
    with transaction.atomic():
        membership, _ = Membership.objects.update_or_create(
            organization=organization, user=user, defaults={"role": role}
        )
        audit.record(
            organization=organization, actor=actor, action="member.added", target=user.email, data={"role": role}
        )
    return membership


def issue_token(
    *,
    organization: Organization,
    actor: Actor,
    scopes: Iterable[str],
    project: Project | None = None,
    name: str = "",
    expires_at: datetime | None = None,
    within: Collection[str] | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its text, which cannot be had again.

    `within`: the scopes of whoever asks; the token may have no other. None for the operator.
    Raises ApiError naming the field, and the scope where one is unknown or not the caller's to give.
    """
    wanted = list(dict.fromkeys(scopes))
    _check_scopes(wanted, within)
    _check_length(name, "name", NAME_LENGTH)
    expires_at = _checked_expiry(expires_at)
    if project is not None and project.organization_id != organization.id:
        raise ApiError("project: is not one of the organization", field="project")
    text = tokens.new_text()
    with transaction.atomic():
        token = ApiToken.objects.create(
            organization=organization,
            project=project,
            name=name,
            prefix=tokens.prefix(text),
            digest=tokens.digest(text),
            scopes=wanted,
            created_by_id=actor.user_id,
            expires_at=expires_at,
        )
        _record_token("token.created", token, actor, {"name": name, "scopes": wanted, "expires_at": _iso(expires_at)})
    return token, text


def revoke_token(*, token: ApiToken, actor: Actor) -> ApiToken:
    """Ends a token at once. A token that is revoked already stays as it is, without another entry."""
    with transaction.atomic():
        current = (
            ApiToken.objects.select_for_update(of=("self",)).select_related("organization", "project").get(id=token.id)
        )
        if current.revoked_at is None:
            current.revoked_at = timezone.now()
            current.save(update_fields=["revoked_at"])
            _record_token("token.revoked", current, actor, {"name": current.name})
    return current


def _record_token(action: str, token: ApiToken, actor: Actor, data: dict[str, object]) -> None:
    audit.record(
        organization=token.organization,
        project=token.project,
        actor=actor,
        action=action,
        target=token.prefix,
        data=data,
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _check_scopes(wanted: Sequence[str], within: Collection[str] | None) -> None:
    if not wanted:
        raise ApiError("scopes: at least one is needed", field="scopes")
    if unknown_scopes(wanted):
        raise ApiError(f"scopes: only these exist: {', '.join(SCOPES)}", field="scopes")
    foreign = [] if within is None else [scope for scope in wanted if scope not in within]
    if foreign:
        raise ApiError(f"scopes: not yours to give: {', '.join(foreign)}", status=403, code="scope", field="scopes")


def _checked_expiry(expires_at: datetime | None) -> datetime | None:
    if expires_at is None:
        return None
    lifetime = expires_at - timezone.now()
    if lifetime <= timedelta(0):
        raise ApiError("expiresAt: lies in the past", field="expiresAt")
    if lifetime > LONGEST_LIFETIME:
        raise ApiError("expiresAt: lies too far ahead", field="expiresAt")
    return in_utc(expires_at)


def _check_slug(slug: str, reserved: Collection[str]) -> None:
    if not is_slug(slug):
        text = f"slug: lower-case letters, digits, - and _, at most {SLUG_LENGTH}, not digits alone, - or _ not first"
        raise ApiError(text, field="slug")
    if slug in reserved:
        raise ApiError("slug: is reserved", code="reserved", field="slug")


def _check_name(name: str) -> None:
    if not name.strip():
        raise ApiError("name: must not be blank", field="name")
    _check_length(name, "name", NAME_LENGTH)


def _check_platform(platform: str) -> None:
    _check_length(platform, "platform", PLATFORM_LENGTH)


def _check_length(text: str, field: str, longest: int) -> None:
    if len(text) > longest:
        raise ApiError(f"{field}: at most {longest} characters", field=field)


def _taken() -> ApiError:
    return ApiError("slug: is taken", status=409, code="taken", field="slug")


def _free_slug(organization: Organization, name: str) -> str:
    base = slug_from_name(name)
    if not base:
        raise ApiError("slug: cannot be made from this name, please give one", field="slug")
    if base in RESERVED_PROJECTS:
        base = f"{base}-project"
    taken = set(
        Project.objects.filter(organization=organization, slug__startswith=base[:40]).values_list("slug", flat=True)
    )
    return base if base not in taken else next(slug for slug in _numbered(base) if slug not in taken)


def _numbered(base: str) -> Iterable[str]:
    return (f"{base[: SLUG_LENGTH - 8]}-{number}" for number in range(2, 10_000_000))
