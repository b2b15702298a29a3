"""The way in: organizations, their projects, and a project at a glance."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from core.api import ApiError
from core.pages import page, redirect_to
from projects import services
from projects.access import OrganizationAccess, ProjectAccess
from projects.api import READ_PROJECTS
from projects.models import Membership, Project
from projects.pages.commands import Place, base_url
from projects.pages.glances import glances_at
from projects.pages.opening import organization_page, project_page
from projects.pages.project_forms import NewProjectForm, SettingsForm
from projects.pages.steps import steps_of

_CREATE: Final = ("org:write",)
_CHANGE: Final = ("project:write",)


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The organizations of whoever is signed in; of the only one its projects."""
    user_id = request.user.pk or 0
    rows = Membership.objects.filter(user_id=user_id).select_related("organization")
    memberships = list(rows.annotate(projects=Count("organization__projects")).order_by("organization__name", "id"))
    if len(memberships) == 1:
        return redirect_to(request, "pages:organization", memberships[0].organization.slug)
    return page(request, "projects/home.html", {"memberships": memberships})


@require_safe
@organization_page(*READ_PROJECTS)
def organization(request: HttpRequest, access: OrganizationAccess) -> HttpResponse:
    """An organization's projects."""
    projects = list(Project.objects.filter(organization=access.organization).order_by("slug"))
    glances = glances_at(projects)
    values = {
        "projects": [(project, glances[project.pk]) for project in projects],
        "may_create": not access.scopes.isdisjoint(_CREATE),
    }
    return page(request, "projects/organization.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(*_CREATE)
def new_project(request: HttpRequest, access: OrganizationAccess) -> HttpResponse:
    """The form of a new project; created, it says what to do next."""
    form = NewProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            project = services.create_project(
                organization=access.organization,
                name=data["name"],
                slug=data["slug"] or None,
                platform=data["platform"],
                actor=access.actor,
            )
        except ApiError as error:
            form.refuse(error)
        else:
            messages.success(request, f"The project {project.name} is there. Here is what to do next.")
            return redirect_to(request, "pages:project", access.organization.slug, project.slug)
    return page(request, "projects/new_project.html", {"form": form}, status=400 if form.errors else 200)


@require_safe
@project_page(*READ_PROJECTS)
def project(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """A project at a glance, and what is still to be done for it."""
    place = Place(base_url(request), access.organization, access.project)
    steps = steps_of(place, access.project, request.page_tabs)  # type: ignore[attr-defined]
    values = {
        "project": access.project,
        "steps": steps,
        "missing": sum(not step.done for step in steps),
        "glances": glances_at([access.project])[access.project.pk],
    }
    return page(request, "projects/project.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(*_CHANGE)
def project_settings(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """A project's name and platform."""
    row = access.project
    form = SettingsForm(request.POST or None, initial={"name": row.name, "platform": row.platform})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            services.update_project(project=row, actor=access.actor, name=data["name"], platform=data["platform"])
        except ApiError as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved.")
            return redirect_to(request, "pages:project-settings", access.organization.slug, row.slug)
    return page(request, "projects/settings.html", {"form": form}, status=400 if form.errors else 200)
