"""REST: the symbol sources of a project and of an organization, and the catalogue of built-in ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response

from projects.access import Actor, open_organization, open_project
from sources import services
from sources.builtin import CATALOGUE
from sources.models import SymbolSource
from sources.openapi import describe_builtin, describe_sources
from sources.selectors import Place, find_source, notices, shown
from sources.validation import read_source
from sources.views import CompatibleView, source_id_of

PROJECT_SCOPES: Final = MappingProxyType(
    {
        "GET": ("project:read", "project:write", "project:admin"),
        "POST": ("project:write", "project:admin"),
        "PUT": ("project:write", "project:admin"),
        "DELETE": ("project:admin",),
    }
)
ORGANIZATION_SCOPES: Final = MappingProxyType(
    {method: tuple(scope.replace("project:", "org:") for scope in scopes) for method, scopes in PROJECT_SCOPES.items()}
)
CATALOGUE_SCOPES: Final = (*ORGANIZATION_SCOPES["GET"], *PROJECT_SCOPES["GET"])


class _Sources(CompatibleView):
    """GET, POST, PUT and DELETE of the sources that are kept in one place; `?id=` selects one."""

    scopes: ClassVar[Mapping[str, Sequence[str]]]

    def open(self, request: Request, any_of: Sequence[str], **names: str) -> tuple[Place, Actor]:
        """Where the URL leads, and who asks. Raises as `projects.access` says."""
        raise NotImplementedError

    def get(self, request: Request, **names: str) -> Response:
        place, _ = self.open(request, self.scopes["GET"], **names)
        source_id = request.query_params.get("id")
        rows = [find_source(place, source_id)] if source_id else list(place.sources())
        return _answer([shown(row) for row in rows], rows)

    def post(self, request: Request, **names: str) -> Response:
        place, actor = self.open(request, self.scopes["POST"], **names)
        submitted = read_source(request.data, may_keep=False)
        row = services.create_source(place=place, submitted=submitted, actor=actor)
        return _answer(shown(row), [row], status=201)

    def put(self, request: Request, **names: str) -> Response:
        place, actor = self.open(request, self.scopes["PUT"], **names)
        source_id = source_id_of(request)
        find_source(place, source_id)
        submitted = read_source(request.data, may_keep=True)
        row = services.replace_source(place=place, source_id=source_id, submitted=submitted, actor=actor)
        return _answer(shown(row), [row])

    def delete(self, request: Request, **names: str) -> Response:
        place, actor = self.open(request, self.scopes["DELETE"], **names)
        services.delete_source(place=place, source_id=source_id_of(request), actor=actor)
        return Response(status=204)


@describe_sources("project")
class ProjectSources(_Sources):
    """A project's own sources."""

    scopes = PROJECT_SCOPES

    def open(self, request: Request, any_of: Sequence[str], **names: str) -> tuple[Place, Actor]:
        access = open_project(request, names["organization_id_or_slug"], names["project_id_or_slug"], any_of=any_of)
        return Place(access.organization, access.project), access.actor


@describe_sources("organization")
class OrganizationSources(_Sources):
    """An organization's sources, which all of its projects inherit."""

    scopes = ORGANIZATION_SCOPES

    def open(self, request: Request, any_of: Sequence[str], **names: str) -> tuple[Place, Actor]:
        access = open_organization(request, names["organization_id_or_slug"], any_of=any_of, whole=True)
        return Place(access.organization), access.actor


@describe_builtin
class BuiltinSources(CompatibleView):
    """The built-in sources that projects may use."""

    def get(self, request: Request, organization_id_or_slug: str) -> Response:
        open_organization(request, organization_id_or_slug, any_of=CATALOGUE_SCOPES)
        entries = sorted(CATALOGUE.values(), key=lambda entry: entry.name)
        return Response(
            [{"sentry_key": entry.key, "id": entry.id, "name": entry.name, "hidden": entry.hidden} for entry in entries]
        )


def _answer(data: Any, rows: Sequence[SymbolSource], status: int = 200) -> Response:
    texts = notices(rows)
    headers = {"Warning": ", ".join(f'299 symbolsvc "{text}"' for text in texts)} if texts else None
    return Response(data, status=status, headers=headers)
