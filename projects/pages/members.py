"""The pages of members: who is in, adding, roles, leaving."""

from __future__ import annotations

from typing import Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST
from rest_framework.exceptions import NotFound

from core.api import ApiError
from core.pages import page, redirect_to
from projects import members
from projects.access import OrganizationAccess
from projects.api import ADMINISTRATE, READ_ORGANIZATION
from projects.models import Membership
from projects.pages.commands import base_url
from projects.pages.forms import PageForm
from projects.pages.opening import organization_page
from projects.scopes import MEMBER, ROLE_SCOPES
from projects.slugs import parse_ref

ROLES: Final = {
    "member": "sees projects, crashes and symbols; resolves groups",
    "admin": "also changes projects, sources and symbols, downloads dumps, makes tokens of projects",
    "owner": "may do everything, members and the organization's tokens included",
}


class AddMemberForm(PageForm):
    """Somebody by e-mail address."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=150,
        widget=forms.EmailInput({"autocomplete": "off"}),
        help_text="Whoever has an account is a member at once. For others you get a link to hand on, with which they"
        " choose a password.",
    )
    role = forms.ChoiceField(
        label="Role", choices=[(role, f"{role} – {what}") for role, what in ROLES.items()], initial=MEMBER
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(*READ_ORGANIZATION)
def listed(request: HttpRequest, access: OrganizationAccess) -> HttpResponse:
    """Who is a member; for those who may, the form to add one. A POST adds."""
    form = AddMemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _demand_administrator(access)
        try:
            added = members.add_by_email(
                organization=access.organization,
                email=form.cleaned_data["email"],
                role=form.cleaned_data["role"],
                actor=access.actor,
            )
        except ApiError as error:
            form.refuse(error)
        else:
            return _welcome(request, access, added)
    return _list(request, access, form)


@require_POST
@organization_page(*ADMINISTRATE)
def change(request: HttpRequest, access: OrganizationAccess, member: str) -> HttpResponse:
    """Another role."""
    row = members.change_role(membership=_find(access, member), role=request.POST.get("role", ""), actor=access.actor)
    messages.success(request, f"{row.user.email} is {_article(row.role)} now.")
    return redirect_to(request, "pages:members", access.organization.slug)


@require_POST
@organization_page(*ADMINISTRATE)
def remove(request: HttpRequest, access: OrganizationAccess, member: str) -> HttpResponse:
    """End somebody's membership."""
    row = _find(access, member)
    members.remove_member(membership=row, actor=access.actor)
    messages.success(request, f"{row.user.email} is no member any more. Tokens they made stay: look through them.")
    return redirect_to(request, "pages:members", access.organization.slug)


@require_POST
@organization_page(*ADMINISTRATE)
def invite(request: HttpRequest, access: OrganizationAccess, member: str) -> HttpResponse:
    """A new link for somebody who has no password yet. It is part of this answer and of no other."""
    row = _find(access, member)
    if members.invitation(row) is None:
        raise ApiError("This account has a password already, or belongs to another organization too.", status=409)
    return _invited(request, row)


@require_POST
@organization_page(*ROLE_SCOPES[MEMBER])
def leave(request: HttpRequest, access: OrganizationAccess) -> HttpResponse:
    """End one's own membership."""
    row = Membership.objects.select_related("organization", "user").get(
        organization=access.organization, user_id=access.actor.user_id or 0
    )
    members.remove_member(membership=row, actor=access.actor)
    messages.success(request, f"You have left {access.organization.name}.")
    return redirect_to(request, "pages:home")


def _welcome(request: HttpRequest, access: OrganizationAccess, added: members.Added) -> HttpResponse:
    row = added.membership
    if added.is_new:
        return _invited(request, row)
    messages.success(request, f"{row.user.email} is {_article(row.role)} now, and sees it after signing in.")
    return redirect_to(request, "pages:members", access.organization.slug)


def _invited(request: HttpRequest, row: Membership) -> HttpResponse:
    # Answered at once instead of after a redirect: the link is as good as a password and is kept nowhere.
    link = f"{base_url(request)}{members.invitation(row)}"
    return page(request, "projects/invited.html", {"member": row, "link": link})


def _list(request: HttpRequest, access: OrganizationAccess, form: AddMemberForm) -> HttpResponse:
    rows = Membership.objects.filter(organization=access.organization).select_related("user")
    values = {
        "members": list(rows.order_by("user__email", "id")),
        "roles": ROLES,
        "form": form,
        "may_change": not access.scopes.isdisjoint(ADMINISTRATE),
    }
    return page(request, "projects/members.html", values, status=400 if form.errors else 200)


def _find(access: OrganizationAccess, ref: str) -> Membership:
    key = parse_ref(ref)
    rows = Membership.objects.filter(organization=access.organization).select_related("organization", "user")
    found = rows.filter(pk=key).first() if isinstance(key, int) else None
    if found is None:
        raise NotFound
    return found


def _demand_administrator(access: OrganizationAccess) -> None:
    if access.scopes.isdisjoint(ADMINISTRATE):
        raise ApiError("Only an owner of the organization adds members.", status=403, code="scope")


def _article(role: str) -> str:
    return f"{'a' if role == MEMBER else 'an'} {role}"
