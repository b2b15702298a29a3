"""The way in: signing in, organizations, projects."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse

from core.pages import page, redirect_to
from projects.access import OrganizationAccess, ProjectAccess
from projects.models import Membership, Project
from projects.pages.opening import organization_page, project_page


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The organizations of whoever is signed in; of the only one its projects."""
    user_id = request.user.pk or 0
    memberships = list(Membership.objects.filter(user_id=user_id).select_related("organization").order_by("id"))
    if len(memberships) == 1:
        return redirect_to(request, "pages:organization", memberships[0].organization.slug)
    return page(request, "projects/home.html", {"memberships": memberships})


@organization_page("org:read", "project:read")
def organization(request: HttpRequest, access: OrganizationAccess) -> HttpResponse:
    """An organization's projects."""
    projects = Project.objects.filter(organization=access.organization).order_by("slug")
    return page(request, "projects/organization.html", {"projects": projects})


@project_page("project:read")
def project(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """A project at a glance."""
    return page(request, "projects/project.html", {"project": access.project})
