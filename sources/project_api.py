"""REST: one project, and which built-in symbol sources it uses."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiError, answer
from projects.access import ProjectAccess, open_project
from projects.bodies import ProjectView, project_view
from projects.models import NAME_LENGTH, Project
from projects.services import PLATFORM_LENGTH, update_project
from sources.api import PROJECT_SCOPES
from sources.builtin import CATALOGUE, in_order
from sources.fields import ANY_TEXT, Choice, Field, ListOf, Problems, Text, clean_fields
from sources.openapi import describe_project
from sources.views import CompatibleView

BUILTIN: Final = Field(
    "builtinSymbolSources",
    ListOf(Choice(tuple(CATALOGUE)), 64),
    "The built-in symbol sources that lookups use, by key; asked in the catalogue's order.",
)
FIELDS: Final = (
    Field("name", Text(NAME_LENGTH), "What people call the project."),
    Field(
        "platform",
        Text(PLATFORM_LENGTH, ANY_TEXT, "must not hold control characters"),
        "What the project's crashes come from, such as `native`.",
    ),
    BUILTIN,
)
_ELSEWHERE: Final = "symbolSources: not changed here; use the project's symbol-sources/ endpoint"


class OrganizationRef(msgspec.Struct):
    """The organization that a project belongs to."""

    id: str
    slug: str


class ProjectDetailView(ProjectView, rename="camel", kw_only=True):
    """A project, and the built-in symbol sources that its lookups use."""

    organization: OrganizationRef
    builtin_symbol_sources: list[str]


@describe_project(FIELDS, ProjectDetailView)
class ProjectDetail(CompatibleView):
    """A project's name, platform and choice of built-in sources."""

    def get(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=PROJECT_SCOPES["GET"])
        return answer(_shown(access.project))

    def put(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=PROJECT_SCOPES["PUT"])
        return answer(_shown(_update(access, _read(request.data))))


def _read(body: object) -> dict[str, Any]:
    if type(body) is not dict:
        raise ApiError("the body must be a JSON object")
    if "symbolSources" in body:
        raise ApiError(_ELSEWHERE, field="symbolSources")
    problems = Problems()
    given = clean_fields(FIELDS, body, "", problems)
    if problems:
        raise ApiError(str(problems))
    return given


def _update(access: ProjectAccess, given: dict[str, Any]) -> Project:
    chosen = given.get("builtinSymbolSources")
    return update_project(
        project=access.project,
        actor=access.actor,
        name=given.get("name"),
        platform=given.get("platform"),
        builtin_sources=None if chosen is None else in_order(chosen),
    )


def _shown(project: Project) -> ProjectDetailView:
    organization = project.organization
    return ProjectDetailView(
        **msgspec.structs.asdict(project_view(project)),
        organization=OrganizationRef(str(organization.pk), organization.slug),
        builtin_symbol_sources=in_order(project.builtin_sources),
    )
