"""REST: who one is, organizations, their projects, tokens, scopes and audit trail."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiView, MissingScope, answer, decode_body
from core.openapi import BODY_STATUSES, challenge, refusals
from projects import bodies, services
from projects.access import open_organization
from projects.models import AuditEntry, Organization, Project
from projects.openapi import ORGANIZATION, PAGING
from projects.paging import paginate
from projects.scopes import SCOPES
from projects.selectors import OpenedToken

READ_ORGANIZATION: Final = ("org:read", "org:write", "org:admin")
READ_PROJECTS: Final = (*READ_ORGANIZATION, "project:read", "project:write", "project:admin")
WRITE_PROJECTS: Final = ("org:write", "org:admin")
ADMINISTRATE: Final = ("org:admin",)

_WHO: Final = OpenApiExample(
    "A token", {"version": "0", "auth": {"scopes": ["project:read"]}, "user": None}, response_only=True
)
_NEW_PROJECT: Final = OpenApiExample(
    "A project", {"name": "Native App", "slug": "native-app", "platform": "native"}, request_only=True
)


class IndexView(ApiView):
    error_style = "sentry"
    permission_classes = ()

    @extend_schema(
        operation_id="who_am_i",
        summary="Who makes the request",
        tags=["Organizations"],
        parameters=[challenge()],
        responses={200: bodies.IndexView, **refusals(style="sentry")},
        examples=[_WHO],
    )
    def get(self, request: Request) -> Response:
        """The scopes of the request's token, or the member who signed in. Without either, both are null."""
        auth = bodies.AuthView(sorted(request.auth.token.scopes)) if isinstance(request.auth, OpenedToken) else None
        user = bodies.user_view(request.user) if isinstance(request.user, User) else None
        return answer(bodies.IndexView("0", auth, user))


class OrganizationsView(ApiView):
    error_style = "sentry"

    @extend_schema(
        operation_id="list_organizations",
        summary="List organizations",
        tags=["Organizations"],
        parameters=[*PAGING, challenge()],
        responses={200: bodies.Organizations, **refusals(400, 403, style="sentry")},
    )
    def get(self, request: Request) -> Response:
        """The organizations one may see: the token's own, or those one is a member of."""
        page = paginate(request, _visible_organizations(request))
        return answer([bodies.organization_view(row) for row in page.rows], Link=page.link)


def _visible_organizations(request: Request) -> Any:
    if not isinstance(request.auth, OpenedToken):
        if not isinstance(request.user, User):
            raise NotAuthenticated
        return Organization.objects.filter(memberships__user=request.user)
    if request.auth.token.scopes.isdisjoint(READ_ORGANIZATION):
        raise MissingScope(READ_ORGANIZATION)
    return Organization.objects.filter(id=request.auth.organization.id)


class OrganizationView(ApiView):
    error_style = "sentry"

    @extend_schema(
        operation_id="get_organization",
        summary="Show an organization",
        tags=["Organizations"],
        parameters=[ORGANIZATION, challenge()],
        responses={200: bodies.OrganizationView, **refusals(403, 404, style="sentry")},
    )
    def get(self, request: Request, organization_id_or_slug: str) -> Response:
        """An organization."""
        access = open_organization(request, organization_id_or_slug, any_of=READ_ORGANIZATION)
        return answer(bodies.organization_view(access.organization))


class ProjectsView(ApiView):
    error_style = "sentry"

    @extend_schema(
        operation_id="list_projects",
        summary="List projects",
        tags=["Projects"],
        parameters=[ORGANIZATION, *PAGING, challenge()],
        responses={200: bodies.Projects, **refusals(400, 403, 404, style="sentry")},
    )
    def get(self, request: Request, organization_id_or_slug: str) -> Response:
        """The organization's projects; for a token that is bound to a project, that one."""
        access = open_organization(request, organization_id_or_slug, any_of=READ_PROJECTS)
        projects = Project.objects.filter(organization=access.organization)
        if access.project_id is not None:
            projects = projects.filter(id=access.project_id)
        page = paginate(request, projects)
        return answer([bodies.project_view(row) for row in page.rows], Link=page.link)

    @extend_schema(
        operation_id="create_project",
        summary="Create a project",
        tags=["Projects"],
        parameters=[ORGANIZATION, challenge()],
        request=bodies.NewProject,
        responses={201: bodies.ProjectView, **refusals(403, 404, 409, *BODY_STATUSES, style="sentry")},
        examples=[_NEW_PROJECT],
    )
    def post(self, request: Request, organization_id_or_slug: str) -> Response:
        """Needs `org:write` or `org:admin`, and a token that is not bound to a project."""
        access = open_organization(request, organization_id_or_slug, any_of=WRITE_PROJECTS, whole=True)
        body = decode_body(request, bodies.NewProject)
        project = services.create_project(
            organization=access.organization,
            actor=access.actor,
            name=body.name,
            slug=body.slug,
            platform=body.platform or "",
        )
        return answer(bodies.project_view(project), 201)


class AuditView(ApiView):
    @extend_schema(
        operation_id="list_audit_entries",
        summary="List what was changed",
        tags=["Organizations"],
        parameters=[ORGANIZATION, *PAGING, challenge()],
        responses={200: bodies.AuditEntries, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, organization_id_or_slug: str) -> Response:
        """Every write in the organization, newest first. Needs `org:admin` and a token not bound to a project."""
        access = open_organization(request, organization_id_or_slug, any_of=ADMINISTRATE, whole=True)
        entries = AuditEntry.objects.filter(organization=access.organization).select_related("project", "user")
        page = paginate(request, entries, newest_first=True)
        return answer([bodies.audit_view(row) for row in page.rows], Link=page.link)


class ScopesView(ApiView):
    @extend_schema(
        operation_id="list_scopes",
        summary="List the scopes that tokens can have",
        tags=["Tokens"],
        parameters=[ORGANIZATION, challenge()],
        responses={200: bodies.Scopes, **refusals(404)},
    )
    def get(self, request: Request, organization_id_or_slug: str) -> Response:
        """Every scope with what it allows, the roles that have it, and whether the caller may give it to a token."""
        return answer(bodies.scope_views(open_organization(request, organization_id_or_slug, any_of=SCOPES)))
