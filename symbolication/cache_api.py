"""REST: what the cache holds for a project, and purging it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiError, ApiView, answer
from core.openapi import challenge, refusals
from engine.caches import Usage
from projects.access import ProjectAccess, open_project
from projects.openapi import ORGANIZATION, PROJECT
from symbolication import caching
from symbolication.caching import Wish

READ: Final = ("project:read", "project:write", "project:admin")
WRITE: Final = ("project:write", "project:admin")
_SELECTORS: Final = ("source", "debug_id")


class CachedKind(msgspec.Struct):
    """`files` that lie there, `misses`: places that are known to have none. Bytes are what both take on the disk."""

    kind: str
    files: int
    misses: int
    bytes: int


class CacheUsage(msgspec.Struct):
    """What the cache of the host that answers holds of the selected sources and module."""

    files: int
    misses: int
    bytes: int
    kinds: list[CachedKind]


class CachePurged(msgspec.Struct):
    """What was removed."""

    files: int
    misses: int
    bytes: int


_PARAMETERS: Final = [
    ORGANIZATION,
    PROJECT,
    OpenApiParameter(
        "source",
        {"type": "string", "minLength": 1, "maxLength": 255},
        OpenApiParameter.QUERY,
        description="Only files of the source with this id. Absent: of all sources of the project.",
    ),
    OpenApiParameter(
        "debug_id",
        {"type": "string", "pattern": "^[0-9A-Fa-f-]{8,80}$"},
        OpenApiParameter.QUERY,
        description="Only files of the module with this debug id or code id.",
    ),
    challenge(),
]
_COUNTS: Final = {"files": 2, "misses": 5, "bytes": 96256}
_KINDS: Final = [
    {"kind": "objects", "files": 1, "misses": 5, "bytes": 61440},
    {"kind": "symcaches", "files": 1, "misses": 0, "bytes": 34816},
]
_DENIED: Final = refusals(400, 403, 404)


class ProjectCache(ApiView):
    """`/api/0/projects/{organization}/{project}/cache/`."""

    permission_classes = (AllowAny,)  # `open_project` decides

    @extend_schema(
        operation_id="get_project_cache",
        summary="Show what is cached for a project",
        description="Files fetched for the project's organization; those of built-in sources are shared and not"
        " counted. Caches belong to hosts: the one that answers tells its own. Needs one of the scopes"
        " `project:read`, `project:write` and `project:admin`.",
        tags=["Cache"],
        parameters=_PARAMETERS,
        responses={
            200: OpenApiResponse(CacheUsage, "The usage.", [OpenApiExample("Usage", {**_COUNTS, "kinds": _KINDS})]),
            **_DENIED,
        },
    )
    def get(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        """Count what is selected."""
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=READ)
        found = caching.usage(caching.selected(access.organization, access.project, _wish(request)))
        kinds = [CachedKind(kind, one.files, one.misses, one.bytes) for kind, one in found.items()]
        return answer(CacheUsage(*_sums(found.values()), kinds))

    @extend_schema(
        operation_id="purge_project_cache",
        summary="Purge what is cached for a project",
        description="The files are fetched again with the very next request that needs them, in every process of the"
        " host that answers. Needs `project:write` or `project:admin`.",
        tags=["Cache"],
        parameters=_PARAMETERS,
        responses={
            200: OpenApiResponse(CachePurged, "What was removed.", [OpenApiExample("Purged", _COUNTS)]),
            **_DENIED,
        },
    )
    def delete(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        """Remove what is selected."""
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=WRITE)
        return answer(CachePurged(*_sums([_purge(access, _wish(request))])))


def _purge(access: ProjectAccess, wish: Wish) -> Usage:
    return caching.purge(
        organization=access.organization,
        project=access.project,
        actor=access.actor,
        selection=caching.selected(access.organization, access.project, wish),
        wish=wish,
    )


def _wish(request: Request) -> Wish:
    """A misspelt parameter must not widen the selection."""
    for name, values in request.query_params.lists():
        if name not in _SELECTORS or len(values) > 1:
            raise ApiError(f"the parameters are {' and '.join(_SELECTORS)}, each at most once")
    return Wish(*(request.query_params.get(name) for name in _SELECTORS))


def _sums(usages: Iterable[Usage]) -> tuple[int, int, int]:
    found = list(usages)
    return sum(one.files for one in found), sum(one.misses for one in found), sum(one.bytes for one in found)
