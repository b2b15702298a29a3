"""REST: the imports of a project from App Store Connect."""

from __future__ import annotations

from typing import Final

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiView, answer, not_found
from core.openapi import challenge, refusals
from debugfiles.appstore.bodies import AppStoreStatus, AppStoreStatuses
from debugfiles.appstore.selectors import app_store_sources, status_of
from debugfiles.appstore.services import TYPE, request_import
from projects.access import open_project
from projects.openapi import ORGANIZATION, PROJECT
from sources.api import PROJECT_SCOPES
from sources.selectors import Place, find_source

_TAG: Final = ["App Store Connect"]
_EXAMPLE: Final = {
    "sourceId": "our-app",
    "name": "Our app",
    "appId": "1234567890",
    "appName": "Our App",
    "state": "refused",
    "lastStart": "2026-03-01T12:00:00Z",
    "lastImport": "2026-02-28T12:00:05Z",
    "nextImport": "2026-03-02T12:00:01Z",
    "error": {
        "code": "key_refused",
        "text": "401 Unauthorized: Apple does not accept the key",
        "remedy": "Check in App Store Connect that the key is active.",
    },
    "builds": {"seen": 40, "imported": 38, "pending": 1, "waiting": 0, "without": 1, "failed": 0},
    "files": 112,
    "troubles": [],
}


class ProjectAppStoreImports(ApiView):
    @extend_schema(
        operation_id="list_app_store_imports",
        summary="Show how imports from App Store Connect stand",
        tags=_TAG,
        parameters=[ORGANIZATION, PROJECT, challenge()],
        responses={
            200: OpenApiResponse(AppStoreStatuses, "One for each source.", [OpenApiExample("Refused", [_EXAMPLE])]),
            **refusals(403, 404),
        },
    )
    def get(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        """One entry for each appStoreConnect source of the project, then those it inherits, which are not imported.

        Needs `project:read`, `project:write` or `project:admin`.
        """
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=PROJECT_SCOPES["GET"])
        return answer([status_of(source) for source in app_store_sources(access)])


class ProjectAppStoreImport(ApiView):
    @extend_schema(
        operation_id="run_app_store_import",
        summary="Import from App Store Connect now",
        tags=_TAG,
        parameters=[ORGANIZATION, PROJECT, challenge()],
        request=None,
        responses={
            202: OpenApiResponse(AppStoreStatus, "It will run soon.", [OpenApiExample("Asked for", _EXAMPLE)]),
            **refusals(403, 404),
        },
    )
    def post(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str, source_id: str) -> Response:
        """Also tries the builds again that were set aside. What Apple asked to wait for is waited for all the same.

        Needs `project:write` or `project:admin`.
        """
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=PROJECT_SCOPES["POST"])
        source = find_source(Place(access.organization, access.project), source_id)
        if source.type != TYPE:
            raise not_found()
        source.organization, source.project = access.organization, access.project
        source.app_store_import = request_import(source=source, actor=access.actor)
        return answer(status_of(source), 202)
