"""The page of a project's clients: DSNs, and the address that each kind of client is set up with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST
from rest_framework.exceptions import NotFound

from core.api import ApiError, MissingScope
from core.pages import page, redirect_to
from crashes.models import ProjectKey
from crashes.pages.keys_own import sentry_lines
from crashes.pages.lists_own import sending
from crashes.sentry import keys
from crashes.sentry.dsn import Dsns, dsns_of
from crashes.sentry.keys_api import SCOPES
from projects.access import ProjectAccess
from projects.pages import project_page
from projects.pages.commands import Place, base_url
from projects.pages.forms import PageForm

_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A key with its addresses."""

    key: ProjectKey
    dsns: Dsns


class KeyForm(PageForm):
    """A new DSN."""

    label = forms.CharField(
        label="Name",
        max_length=keys.LABEL_LENGTH,
        required=False,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text="Which program or build sends with it. One for each can be stopped without the others.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(*SCOPES["GET"])
def clients(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """How clients are set up. A POST makes a DSN."""
    form = KeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        _demand(access, "POST")
        try:
            keys.create_key(project=access.project, actor=access.actor, label=form.cleaned_data["label"])
        except ApiError as error:
            form.refuse(error, name="label")
        else:
            messages.success(request, "The DSN is ready.")
            return _back(request, access)
    return _shown(request, access, form)


@require_POST
@project_page(*SCOPES["PUT"])
def change(request: HttpRequest, access: ProjectAccess, key_id: str) -> HttpResponse:
    """Stop a key (`active` is 0) or let it in again (1)."""
    row = keys.change_key(key=_find(access, key_id), actor=access.actor, is_active=request.POST.get("active") == "1")
    messages.success(
        request, "It lets reports in again." if row.is_active else "It is stopped: reports with it are refused."
    )
    return _back(request, access)


@require_POST
@project_page(*SCOPES["DELETE"])
def delete(request: HttpRequest, access: ProjectAccess, key_id: str) -> HttpResponse:
    """End a key for good."""
    keys.delete_key(key=_find(access, key_id), actor=access.actor)
    messages.success(request, "The DSN is deleted. What came with it stays.")
    return _back(request, access)


def _shown(request: HttpRequest, access: ProjectAccess, form: KeyForm) -> HttpResponse:
    base = base_url(request)
    rows = list(ProjectKey.objects.filter(project=access.project)[:_MOST])
    active = [row for row in rows if row.is_active]
    values = {
        "keys": [ShownKey(row, dsns_of(row, base)) for row in rows],
        "sentry": sentry_lines(dsns_of(active[0], base)) if active else [],
        "backtrace": sending(Place(base, access.organization, access.project)),
        "form": form,
        "may_change": not access.scopes.isdisjoint(SCOPES["PUT"]),
        "may_delete": not access.scopes.isdisjoint(SCOPES["DELETE"]),
    }
    return page(request, "crashes/keys.html", values, status=400 if form.errors else 200)


def _find(access: ProjectAccess, public: str) -> ProjectKey:
    found = None
    if keys.looks_like_key(public):
        found = ProjectKey.objects.filter(project=access.project, public=public).first()
    if found is None:
        raise NotFound
    return found


def _demand(access: ProjectAccess, method: str) -> None:
    if access.scopes.isdisjoint(SCOPES[method]):
        raise MissingScope(SCOPES[method])


def _back(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    return redirect_to(request, "crash_pages:clients", access.organization.slug, access.project.slug)
