"""The pages of tokens: of an organization, and of one project."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from rest_framework.exceptions import NotFound

from core.api import ApiError
from core.pages import page, redirect_to
from projects import services
from projects.access import OrganizationAccess, ProjectAccess
from projects.models import NAME_LENGTH, ApiToken, Project
from projects.pages.commands import Place, base_url, commands_of_token
from projects.pages.forms import PageForm
from projects.pages.opening import organization_page, project_page
from projects.pages.purposes import PURPOSES, purpose_named
from projects.scopes import SCOPES
from projects.slugs import parse_ref
from projects.token_api import ADMINISTRATE_TOKENS

OF_PROJECT: Final = ("org:admin", "project:admin")
_LIFETIMES: Final = (
    ("", "never"),
    ("7", "in 7 days"),
    ("30", "in 30 days"),
    ("90", "in 90 days"),
    ("365", "in a year"),
)
_MOST_SHOWN: Final = 500
_MOST_ENDED: Final = 50

Access = OrganizationAccess | ProjectAccess


class TokenForm(PageForm):
    """A new token: scopes of whoever makes it, and for the whole organization only by who may do that."""

    name = forms.CharField(
        label="Name",
        max_length=NAME_LENGTH,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text="Who or what uses it. It is shown in this list and nowhere else.",
    )
    project = forms.ChoiceField(label="Project", required=False)
    scopes = forms.MultipleChoiceField(label="Scopes", widget=forms.CheckboxSelectMultiple)
    expires = forms.ChoiceField(label="Ends", choices=_LIFETIMES, required=False)

    def __init__(self, access: Access, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [  # type: ignore[attr-defined]
            (scope, text) for scope, text in SCOPES.items() if scope in access.scopes
        ]
        self.fields["scopes"].error_messages["required"] = "Choose at least one."
        if isinstance(access, ProjectAccess):
            del self.fields["project"]
            return
        slugs = Project.objects.filter(organization=access.organization).order_by("slug").values_list("slug", flat=True)
        whole = [("", "all projects of the organization")] if "org:admin" in access.scopes else []
        self.fields["project"].choices = whole + [(slug, slug) for slug in slugs]  # type: ignore[attr-defined]
        self.fields["project"].required = not whole


@require_safe
@organization_page(*ADMINISTRATE_TOKENS)
def of_organization(request: HttpRequest, access: OrganizationAccess) -> HttpResponse:
    """The organization's tokens; for an admin those that are bound to a project."""
    return _list(request, access)


@require_safe
@project_page(*OF_PROJECT)
def of_project(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """The tokens that are bound to a project."""
    return _list(request, access)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(*ADMINISTRATE_TOKENS)
def new_of_organization(request: HttpRequest, access: OrganizationAccess) -> HttpResponse:
    """The form of a new token, and its text, once."""
    return _new(request, access)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(*OF_PROJECT)
def new_of_project(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """The form of a new token that is bound to a project, and its text, once."""
    return _new(request, access)


@require_POST
@organization_page(*ADMINISTRATE_TOKENS)
def revoke_of_organization(request: HttpRequest, access: OrganizationAccess, token: str) -> HttpResponse:
    """End a token at once."""
    return _revoke(request, access, token)


@require_POST
@project_page(*OF_PROJECT)
def revoke_of_project(request: HttpRequest, access: ProjectAccess, token: str) -> HttpResponse:
    """End a token of a project at once."""
    return _revoke(request, access, token)


def _tokens(access: Access) -> QuerySet[ApiToken]:
    rows = ApiToken.objects.filter(organization=access.organization).select_related("project", "created_by")
    if isinstance(access, ProjectAccess):
        return rows.filter(project=access.project)
    return rows if "org:admin" in access.scopes else rows.filter(project__isnull=False)


def _list(request: HttpRequest, access: Access) -> HttpResponse:
    rows = _tokens(access).order_by("-id")
    now = timezone.now()
    live = list(rows.filter(revoked_at=None)[:_MOST_SHOWN])
    values = {
        "tokens": [token for token in live if token.expires_at is None or token.expires_at > now],
        "ended": [token for token in live if token.expires_at is not None and token.expires_at <= now]
        + list(rows.exclude(revoked_at=None)[:_MOST_ENDED]),
        "purposes": PURPOSES,
        "addresses": _addresses(access),
        "explained": SCOPES,
    }
    return page(request, "projects/tokens.html", values)


def _new(request: HttpRequest, access: Access) -> HttpResponse:
    purpose = purpose_named(request.GET.get("purpose", ""))
    initial = {"scopes": list(purpose.scopes), "name": purpose.title.lower()} if purpose is not None else {}
    form = TokenForm(access, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            token, text = _issue(access, form.cleaned_data)
        except ApiError as error:
            form.refuse(error, expiresAt="expires")
        else:
            return _shown_once(request, access, token, text)
    values = {"form": form, "purposes": PURPOSES, "purpose": purpose, "addresses": _addresses(access)}
    return page(request, "projects/new_token.html", values, status=400 if form.errors else 200)


def _issue(access: Access, data: Mapping[str, Any]) -> tuple[ApiToken, str]:
    project = access.project if isinstance(access, ProjectAccess) else None
    if project is None and data["project"]:
        project = Project.objects.get(organization=access.organization, slug=data["project"])
    return services.issue_token(
        organization=access.organization,
        project=project,
        actor=access.actor,
        scopes=data["scopes"],
        name=data["name"],
        expires_at=timezone.now() + timedelta(days=int(data["expires"])) if data["expires"] else None,
        within=access.scopes,
    )


def _shown_once(request: HttpRequest, access: Access, token: ApiToken, text: str) -> HttpResponse:
    # Answered at once instead of after a redirect, since the text would have to be kept somewhere for that.
    place = Place(base_url(request), access.organization, token.project, text)
    values = {
        "token": token,
        "text": text,
        "commands": commands_of_token(place, token.scopes),
        "explained": SCOPES,
        "addresses": _addresses(access),
    }
    return page(request, "projects/token_shown.html", values)


def _revoke(request: HttpRequest, access: Access, ref: str) -> HttpResponse:
    key = parse_ref(ref)
    found = _tokens(access).filter(pk=key).first() if isinstance(key, int) else None
    if found is None:
        raise NotFound
    services.revoke_token(token=found, actor=access.actor)
    messages.success(request, f"The token {found.prefix}… is revoked: it opens nothing any more.")
    return redirect_to(request, _addresses(access)["all"])


def _addresses(access: Access) -> dict[str, str]:
    slugs = [access.organization.slug]
    if isinstance(access, ProjectAccess):
        slugs.append(access.project.slug)
        return {
            "all": reverse("pages:project-tokens", args=slugs),
            "new": reverse("pages:new-project-token", args=slugs),
        }
    return {"all": reverse("pages:tokens", args=slugs), "new": reverse("pages:new-token", args=slugs)}
