"""Who is a member, with which role: every write of it that a person does.

An organization keeps an owner: the last one can neither go nor take another role.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from core.api import ApiError
from projects import audit, services
from projects.access import Actor
from projects.models import Membership, Organization
from projects.scopes import OWNER, ROLE_SCOPES

_EMAIL_LENGTH = 150


@dataclass(frozen=True, slots=True)
class Added:
    """A new member. `is_new`: the account was made for it, and needs an invitation to get a password."""

    membership: Membership
    is_new: bool


def add_by_email(*, organization: Organization, email: str, role: str, actor: Actor) -> Added:
    """Makes the owner of an e-mail address a member, with an account without a password where there is none.

    Raises ApiError for an address that is malformed or a member's already, and for an unknown role.
    """
    address = _checked_address(email)
    with transaction.atomic():
        _held(organization)
        user, is_new = _account(address)
        if Membership.objects.filter(organization=organization, user=user).exists():
            raise ApiError("email: is a member already", status=409, code="taken", field="email")
        membership = services.add_member(organization=organization, user=user, role=role, actor=actor)
    return Added(membership, is_new)


def change_role(*, membership: Membership, role: str, actor: Actor) -> Membership:
    """Another role from the next request on. Raises ApiError for an unknown role, and for the last owner."""
    if role not in ROLE_SCOPES:
        raise ApiError("role: is not one of the allowed values", field="role")
    with transaction.atomic():
        current = _current(membership)
        if current.role == role:
            return current
        _keep_an_owner(current)
        data = {"role": role, "before": current.role}
        current.role = role
        current.save(update_fields=["role"])
        _record("member.changed", current, actor, data)
    return current


def remove_member(*, membership: Membership, actor: Actor) -> None:
    """Ends a membership at once; tokens that the member made stay. Raises ApiError for the last owner."""
    with transaction.atomic():
        current = _current(membership)
        _keep_an_owner(current)
        _record("member.removed", current, actor, {"role": current.role})
        current.delete()


def invitation(membership: Membership) -> str | None:
    """The path at which whoever has it chooses the account's first password; once, and for three days.

    None for an account that has a password, or that belongs to another organization too: no organization can take
    over what others trust.
    """
    user = membership.user
    if user.has_usable_password() or not user.is_active:
        return None
    if Membership.objects.filter(user=user).exclude(organization_id=membership.organization_id).exists():
        return None
    place = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("pages:invited", args=[place, default_token_generator.make_token(user)])


def _checked_address(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise ApiError("email: is no e-mail address", field="email") from None
    if len(address) > _EMAIL_LENGTH:
        raise ApiError(f"email: at most {_EMAIL_LENGTH} characters", field="email")
    return address


def _account(address: str) -> tuple[User, bool]:
    found = get_user_model().objects.filter(username=address).first()
    return (services.create_user(email=address, password=None), True) if found is None else (found, False)


def _held(organization: Organization) -> None:
    """Two changes of members at once wait for each other, so that two owners cannot both be the last but one."""
    Organization.objects.select_for_update().get(pk=organization.pk)


def _current(membership: Membership) -> Membership:
    _held(membership.organization)
    found = Membership.objects.select_related("organization", "user").filter(pk=membership.pk).first()
    if found is None:
        raise ApiError("This member was removed meanwhile.", status=404, code="not_found")
    return found


def _keep_an_owner(membership: Membership) -> None:
    others = Membership.objects.filter(organization=membership.organization, role=OWNER).exclude(pk=membership.pk)
    if membership.role == OWNER and not others.exists():
        raise ApiError("The last owner stays. Make somebody else an owner first.", status=409, code="last_owner")


def _record(action: str, membership: Membership, actor: Actor, data: dict[str, str]) -> None:
    audit.record(
        organization=membership.organization, actor=actor, action=action, target=membership.user.email, data=data
    )
