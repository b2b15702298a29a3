"""REST: the keys of a project, in the shape that clients of Sentry know."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Final

import msgspec
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiView, answer, decode_body, not_found
from core.openapi import BODY_STATUSES, ArrayOf, challenge, refusals
from crashes.models import ProjectKey
from crashes.sentry import keys
from crashes.sentry.dsn import Dsns, dsns_of
from projects.access import ProjectAccess, open_project
from projects.openapi import ORGANIZATION, PAGING, PROJECT
from projects.paging import paginate

_WRITE: Final = ("project:write", "project:admin")
SCOPES: Final = MappingProxyType(
    {"GET": ("project:read", *_WRITE), "POST": _WRITE, "PUT": _WRITE, "DELETE": ("project:admin",)}
)
_TAG: Final = ["Crashes"]
_KEY: Final = OpenApiParameter("key_id", str, OpenApiParameter.PATH, description="The key itself: 32 hex digits.")
_PLACE: Final = (ORGANIZATION, PROJECT, challenge())
_EXAMPLE: Final = OpenApiExample("A key for one application", {"name": "desktop"}, request_only=True)


class ClientKey(msgspec.Struct, rename="camel", kw_only=True):
    """A key: `id` and `public` are its text. There is no secret: `secret` repeats it for clients that want one.

    `isActive` false lets in nothing. `lastUsed` is exact to a minute.
    """

    id: str
    name: str
    label: str
    public: str
    secret: str
    project_id: int
    is_active: bool
    date_created: datetime
    last_used: datetime | None
    dsn: Dsns


class ClientKeys(ArrayOf):
    item = ClientKey


class NewClientKey(msgspec.Struct):
    """`name` is for people; without one the key is called Default."""

    name: str | None = None


class ClientKeyChange(msgspec.Struct, rename="camel"):
    """What is left out stays as it is."""

    name: str | None = None
    is_active: bool | None = None


class ProjectKeys(ApiView):
    @extend_schema(
        operation_id="list_client_keys",
        summary="List keys of Sentry clients",
        tags=_TAG,
        parameters=[*_PLACE, *PAGING],
        responses={200: ClientKeys, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        """Each with the DSN to set a client up with, oldest first."""
        access = _opened(request, organization_id_or_slug, project_id_or_slug)
        page = paginate(request, _keys(access))
        return answer([_shown(request, row) for row in page.rows], Link=page.link)

    @extend_schema(
        operation_id="create_client_key",
        summary="Create a key for Sentry clients",
        tags=_TAG,
        parameters=[*_PLACE],
        request=NewClientKey,
        examples=[_EXAMPLE],
        responses={201: ClientKey, **refusals(403, 404, *BODY_STATUSES)},
    )
    def post(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        """The key is public by its nature: it lets in reports and shows nothing."""
        access = _opened(request, organization_id_or_slug, project_id_or_slug)
        body = decode_body(request, NewClientKey)
        row = keys.create_key(project=access.project, actor=access.actor, label=body.name or "")
        return answer(_shown(request, row), 201)


class ProjectKeyView(ApiView):
    @extend_schema(
        operation_id="get_client_key",
        summary="Show a key of Sentry clients",
        tags=_TAG,
        parameters=[*_PLACE, _KEY],
        responses={200: ClientKey, **refusals(403, 404)},
    )
    def get(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str, key_id: str) -> Response:
        """With its DSN."""
        access = _opened(request, organization_id_or_slug, project_id_or_slug)
        return answer(_shown(request, _find(access, key_id)))

    @extend_schema(
        operation_id="change_client_key",
        summary="Rename, stop or restart a key of Sentry clients",
        tags=_TAG,
        parameters=[*_PLACE, _KEY],
        request=ClientKeyChange,
        responses={200: ClientKey, **refusals(403, 404, *BODY_STATUSES)},
    )
    def put(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str, key_id: str) -> Response:
        """A key that is not active is refused at once; it can be made active again."""
        access = _opened(request, organization_id_or_slug, project_id_or_slug)
        row = _find(access, key_id)
        body = decode_body(request, ClientKeyChange)
        changed = keys.change_key(key=row, actor=access.actor, label=body.name, is_active=body.is_active)
        return answer(_shown(request, changed))

    @extend_schema(
        operation_id="delete_client_key",
        summary="Delete a key of Sentry clients",
        tags=_TAG,
        parameters=[*_PLACE, _KEY],
        responses={204: None, **refusals(403, 404)},
    )
    def delete(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str, key_id: str) -> Response:
        """For good. Crashes that came with it stay. Needs `project:admin`."""
        access = _opened(request, organization_id_or_slug, project_id_or_slug)
        keys.delete_key(key=_find(access, key_id), actor=access.actor)
        return Response(status=204)


def _opened(request: Request, organization: str, project: str) -> ProjectAccess:
    return open_project(request, organization, project, any_of=SCOPES[request.method or "GET"])


def _keys(access: ProjectAccess) -> QuerySet[ProjectKey]:
    return ProjectKey.objects.filter(project=access.project)


def _find(access: ProjectAccess, key_id: str) -> ProjectKey:
    found = _keys(access).filter(public=key_id).first() if keys.looks_like_key(key_id) else None
    if found is None:
        raise not_found()
    found.project = access.project
    return found


def _shown(request: Request, key: ProjectKey) -> ClientKey:
    return ClientKey(
        id=key.public,
        name=key.label,
        label=key.label,
        public=key.public,
        secret=key.public,
        project_id=key.project_id,
        is_active=key.is_active,
        date_created=key.created_at,
        last_used=key.last_used_at,
        dsn=dsns_of(key, request.build_absolute_uri("/")),
    )
