"""REST: list, create, show and revoke tokens."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiError, ApiView, MissingScope, answer, decode_body, not_found
from core.openapi import BODY_STATUSES, challenge, refusals
from projects import bodies, services
from projects.access import OrganizationAccess, find_project, open_organization
from projects.models import ApiToken, Project
from projects.openapi import ORGANIZATION, PAGING
from projects.paging import paginate
from projects.slugs import parse_ref

# org:admin for all tokens of the organization; project:admin for those that are bound to a project.
ADMINISTRATE_TOKENS: Final = ("org:admin", "project:admin")

_ID: Final = OpenApiParameter("token", str, OpenApiParameter.PATH, description="Id of the token (not its text).")
_NEW_TOKEN: Final = OpenApiExample(
    "For crash clients in the field",
    {"name": "crash client", "scopes": ["error:post"], "project": "native-app", "expiresAt": "2040-01-01T00:00:00Z"},
    request_only=True,
)


class TokensView(ApiView):
    @extend_schema(
        operation_id="list_tokens",
        summary="List tokens",
        tags=["Tokens"],
        parameters=[ORGANIZATION, *PAGING, challenge()],
        responses={200: bodies.Tokens, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, organization_id_or_slug: str) -> Response:
        """With `org:admin` all tokens of the organization, with `project:admin` those bound to a project."""
        access = open_organization(request, organization_id_or_slug, any_of=ADMINISTRATE_TOKENS)
        page = paginate(request, _administrated(access))
        return answer([bodies.token_view(row) for row in page.rows], Link=page.link)

    @extend_schema(
        operation_id="create_token",
        summary="Create a token",
        tags=["Tokens"],
        parameters=[ORGANIZATION, challenge()],
        request=bodies.NewToken,
        responses={201: bodies.IssuedToken, **refusals(403, 404, *BODY_STATUSES)},
        examples=[_NEW_TOKEN],
    )
    def post(self, request: Request, organization_id_or_slug: str) -> Response:
        """The answer holds the token's text, which cannot be had again. Only scopes of one's own can be given.

        A token that is bound to a project creates tokens bound to the same project.
        """
        access = open_organization(request, organization_id_or_slug, any_of=ADMINISTRATE_TOKENS)
        body = decode_body(request, bodies.NewToken)
        token, text = services.issue_token(
            organization=access.organization,
            actor=access.actor,
            scopes=body.scopes,
            project=_project_to_bind(access, body.project),
            name=body.name,
            expires_at=body.expires_at,
            within=access.scopes,
        )
        response = answer(bodies.issued_token(token, text), 201)
        response["Cache-Control"] = "no-store"
        return response


class TokenView(ApiView):
    @extend_schema(
        operation_id="get_token",
        summary="Show a token",
        tags=["Tokens"],
        parameters=[ORGANIZATION, _ID, challenge()],
        responses={200: bodies.TokenView, **refusals(403, 404)},
    )
    def get(self, request: Request, organization_id_or_slug: str, token: str) -> Response:
        """What is known about a token, its text excepted."""
        access = open_organization(request, organization_id_or_slug, any_of=ADMINISTRATE_TOKENS)
        return answer(bodies.token_view(_find(access, token)))

    @extend_schema(
        operation_id="revoke_token",
        summary="Revoke a token",
        tags=["Tokens"],
        parameters=[ORGANIZATION, _ID, challenge()],
        responses={204: None, **refusals(403, 404)},
    )
    def delete(self, request: Request, organization_id_or_slug: str, token: str) -> Response:
        """Ends the token at once; it stays in the list."""
        access = open_organization(request, organization_id_or_slug, any_of=ADMINISTRATE_TOKENS)
        services.revoke_token(token=_find(access, token), actor=access.actor)
        return Response(status=204)


def _administrated(access: OrganizationAccess) -> QuerySet[ApiToken]:
    tokens = ApiToken.objects.filter(organization=access.organization).select_related("project", "created_by")
    if access.project_id is not None:
        return tokens.filter(project=access.project_id)
    return tokens if "org:admin" in access.scopes else tokens.filter(project__isnull=False)


def _find(access: OrganizationAccess, ref: str) -> ApiToken:
    token_id = parse_ref(ref)
    found = _administrated(access).filter(id=token_id).first() if isinstance(token_id, int) else None
    if found is None:
        raise not_found()
    return found


def _project_to_bind(access: OrganizationAccess, ref: str | None) -> Project | None:
    if ref is None and access.project_id is None:
        if "org:admin" not in access.scopes:
            raise MissingScope(("org:admin",))
        return None
    project = find_project(access, str(access.project_id) if ref is None else ref)
    if project is None:
        raise ApiError("project: does not exist", field="project")
    return project
