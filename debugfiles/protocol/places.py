"""The parts of an organization's endpoints that its uploads have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rest_framework.request import Request

from core.api import ApiError, ApiView
from core.openapi import challenge
from debugfiles.upload_views import SCOPES
from projects.access import OrganizationAccess, find_project, open_organization
from projects.models import Project
from projects.openapi import ORGANIZATION

IN_ORGANIZATION: Final = (ORGANIZATION, challenge())


class OrganizationUploadView(ApiView):
    """An endpoint of an organization that takes uploads, also by a token that is bound to one of its projects."""

    error_style = "sentry"

    def open(self, request: Request, organization: str) -> OrganizationAccess:
        """The organization of the address, for a caller with a scope that suffices for the method."""
        return open_organization(request, organization, any_of=SCOPES[request.method or "GET"])


def find_projects(access: OrganizationAccess, refs: Iterable[str | int]) -> tuple[Project, ...]:
    """The projects of these ids or slugs, each once, all of which the caller may touch. Raises ApiError (400)."""
    found = {}
    for ref in dict.fromkeys(str(ref) for ref in refs):
        project = find_project(access, ref)
        if project is None:
            raise ApiError("One or more projects are invalid", field="projects")
        found[project.pk] = project
    return tuple(found.values())
