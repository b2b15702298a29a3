"""REST: a project's debug files as Symbolicator and clients of Sentry ask for them."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import answer, not_found
from core.openapi import refusals
from core.text import storable
from debugfiles import services
from debugfiles.bodies import DebugFiles, debug_file_view
from debugfiles.contents import touch
from debugfiles.finding import matching
from debugfiles.models import DebugFile
from debugfiles.protocol.debug_files_api import PackedDebugFiles
from debugfiles.retention.policy import policy_of
from debugfiles.sending import send
from debugfiles.sentrysource.listing import files_for
from debugfiles.upload_views import CONTENT, DOWNLOAD, PLACE, RANGE, query, row_id
from projects.access import open_project
from projects.models import Project
from projects.openapi import PAGING
from projects.paging import paginate

_TAG: Final = ["For Symbolicator"]
_ID: Final = query("id", "The file itself, by its id in a list.")


class ProjectDsyms(PackedDebugFiles):
    error_style = "sentry"

    @extend_schema(
        operation_id="find_debug_files",
        summary="Find debug files, or download one",
        tags=_TAG,
        parameters=[
            *PLACE,
            *PAGING,
            query("debug_id", "Files with this debug id."),
            query("code_id", "Files with this code id, where none has the debug id."),
            query("query", "A part of the name, or a debug id or code id."),
            OpenApiParameter(
                "file_formats", str, OpenApiParameter.QUERY, many=True, description="Only these symbol types."
            ),
            _ID,
            RANGE,
        ],
        responses={
            (200, "application/json"): DebugFiles,
            **CONTENT,
            **refusals(400, 403, 404, style="sentry"),
        },
    )
    def get(self, request: Request, **names: str) -> HttpResponseBase:
        """What a `sentry` source of Symbolicator asks for. By ids the answer is not paged, and has at most 19 files.

        A list needs `project:read`, `project:write`, `project:admin`, `project:releases` or `org:ci`; a file needs
        `symbols:read`, `project:write` or `project:admin`.
        """
        if request.query_params.get("id"):
            return self._file(request, names)
        return self._list(request, self.open(request, names).project)

    @extend_schema(
        operation_id="delete_debug_file_by_id",
        summary="Delete a debug file by its id",
        tags=_TAG,
        parameters=[*PLACE, _ID],
        responses={204: None, **refusals(403, 404, style="sentry")},
    )
    def delete(self, request: Request, **names: str) -> Response:
        """Needs `project:admin` or `project:releases`."""
        access = self.open(request, names)
        file_id = row_id(request.query_params.get("id", ""))
        services.delete_debug_file(project=access.project, actor=access.actor, file_id=file_id)
        return Response(status=204)

    def _list(self, request: Request, project: Project) -> Response:
        asked = {name: storable(request.query_params.get(name, "")) for name in ("debug_id", "code_id")}
        formats = [storable(one) for one in request.query_params.getlist("file_formats")]
        policy = policy_of(project)
        if any(asked.values()):
            rows = files_for(project, **asked, symbol_types=formats)
            return answer([debug_file_view(row, policy) for row in rows])
        page = paginate(request, _any(project, request, formats), newest_first=True)
        return answer([debug_file_view(row, policy) for row in page.rows], Link=page.link)

    def _file(self, request: Request, names: dict[str, str]) -> HttpResponseBase:
        organization, project = names["organization_id_or_slug"], names["project_id_or_slug"]
        access = open_project(request, organization, project, any_of=DOWNLOAD)
        found = DebugFile.objects.filter(project=access.project, pk=row_id(request.query_params["id"]))
        row = found.select_related("blob").first()
        if row is None:
            raise not_found()
        touch(DebugFile, [row.pk])
        return send(request, row.blob, row.object_name, row.object_offset, row.object_size)


def _any(project: Project, request: Request, formats: list[str]) -> QuerySet[DebugFile]:
    rows = DebugFile.objects.filter(project=project)
    if formats:
        rows = rows.filter(symbol_type__in=formats)
    text = storable(request.query_params.get("query", ""))
    return rows.filter(matching(text)) if text else rows
