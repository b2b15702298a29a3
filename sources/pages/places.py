"""Views that serve a project's sources and an organization's alike."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import NotFound

from projects.access import Actor, OrganizationAccess, ProjectAccess
from projects.pages import organization_page, project_page
from sources.api import ORGANIZATION_SCOPES, PROJECT_SCOPES
from sources.models import SymbolSource
from sources.selectors import Place

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Where:
    """Whose sources a page is about, and what whoever looks may do with them."""

    place: Place
    actor: Actor
    scopes: frozenset[str]

    @property
    def may_write(self) -> bool:
        return not self.scopes.isdisjoint(self._scopes("POST"))

    @property
    def may_delete(self) -> bool:
        return not self.scopes.isdisjoint(self._scopes("DELETE"))

    def address(self, view: str, *arguments: Any) -> str:
        """The address of one of these pages, for the same project or organization."""
        organization, project = self.place.organization, self.place.project
        if project is None:
            return reverse(f"source_pages:organization_{view}", args=[organization.slug, *arguments])
        return reverse(f"source_pages:project_{view}", args=[organization.slug, project.slug, *arguments])

    def find(self, key: uuid.UUID) -> SymbolSource:
        """The source kept here with this key. Raises NotFound."""
        row = self.place.sources().filter(pk=key).first()
        if row is None:
            raise NotFound
        return row

    def _scopes(self, method: str) -> Sequence[str]:
        return (ORGANIZATION_SCOPES if self.place.project is None else PROJECT_SCOPES)[method]


def where_of(access: ProjectAccess | OrganizationAccess) -> Where:
    """The sources of what was opened."""
    project = access.project if isinstance(access, ProjectAccess) else None
    return Where(Place(access.organization, project), access.actor, access.scopes)


def both(
    name: str, route: str, view: View, *, needs: str = "POST", methods: Sequence[str] = ("GET", "HEAD", "POST")
) -> list[URLPattern]:
    """The addresses of `view(request, where, **rest)` below a project and below an organization.

    `needs`: the method of the API whose scopes it takes to open the page.
    """
    allowed = require_http_methods(list(methods))
    project = allowed(project_page(*PROJECT_SCOPES[needs])(_adapted(view)))
    organization = allowed(organization_page(*ORGANIZATION_SCOPES[needs])(_adapted(view)))
    return [
        path(f"organizations/<str:organization>/sources/{route}", organization, name=f"organization_{name}"),
        path(f"organizations/<str:organization>/<str:project>/sources/{route}", project, name=f"project_{name}"),
    ]


def _adapted(view: View) -> View:
    @wraps(view)
    def adapted(request: HttpRequest, access: ProjectAccess | OrganizationAccess, **rest: Any) -> HttpResponseBase:
        return view(request, where_of(access), **rest)

    return adapted
