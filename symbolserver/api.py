"""REST: how a project's symbol server answers."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from msgspec import Meta
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiView, answer, decode_body
from core.openapi import BODY_STATUSES, challenge, refusals
from projects.access import ProjectAccess, open_project
from projects.openapi import ORGANIZATION, PROJECT
from symbolserver.models import Serving
from symbolserver.services import set_serving

READ: Final = ("project:read", "project:write", "project:admin")
# Making files public gives them away, which is more than changing a project.
WRITE: Final = ("project:admin",)
_TAG: Final = "Symbol server"

Public = Annotated[bool, Meta(description="Everybody gets the project's uploaded files, without a token.")]
Sources = Annotated[
    bool, Meta(description="What the project lacks is asked of its symbol sources, for callers with a token.")
]


class SymbolServerView(msgspec.Struct):
    """How the project's symbol server answers, and its address, which is the same for every layout."""

    public: Public
    sources: Sources
    url: str


class SymbolServerChange(msgspec.Struct, forbid_unknown_fields=True):
    """How it is to answer. What is left out is off."""

    public: Public = False
    sources: Sources = False


_EXAMPLE: Final = OpenApiExample("Ask the sources too", {"public": False, "sources": True}, request_only=True)


class ProjectSymbolServer(ApiView):
    @extend_schema(
        operation_id="get_symbol_server",
        summary="Show how the symbol server answers",
        tags=[_TAG],
        parameters=[ORGANIZATION, PROJECT, challenge()],
        responses={200: SymbolServerView, **refusals(403, 404)},
    )
    def get(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        """At first it answers tokens with `symbols:read` alone, from the uploaded files alone."""
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=READ)
        row = Serving.objects.filter(project=access.project).first() or Serving(project=access.project)
        return answer(_shown(row, access, request))

    @extend_schema(
        operation_id="set_symbol_server",
        summary="Set how the symbol server answers",
        tags=[_TAG],
        parameters=[ORGANIZATION, PROJECT, challenge()],
        request=SymbolServerChange,
        examples=[_EXAMPLE],
        responses={200: SymbolServerView, **refusals(403, 404, *BODY_STATUSES)},
    )
    def put(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        """Holds from the next request on. Needs `project:admin`."""
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=WRITE)
        body = decode_body(request, SymbolServerChange)
        row = set_serving(project=access.project, actor=access.actor, public=body.public, sources=body.sources)
        return answer(_shown(row, access, request))


def _shown(row: Serving, access: ProjectAccess, request: Request) -> SymbolServerView:
    base = settings.ENVIRONMENT["PUBLIC_URL"].rstrip("/") or request.build_absolute_uri("/").rstrip("/")
    return SymbolServerView(
        row.public, row.sources, f"{base}/symbols/{access.organization.slug}/{access.project.slug}/"
    )
