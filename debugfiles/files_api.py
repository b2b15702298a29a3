"""REST: the debug files of a project."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiError, answer, not_found
from core.openapi import BODY_STATUSES, refusals
from core.text import storable
from debugfiles import services
from debugfiles.bodies import DebugFiles, DebugFileView, debug_file_view
from debugfiles.finding import matching, with_debug_id
from debugfiles.identify import Upload
from debugfiles.models import DebugFile
from debugfiles.receiving import received
from debugfiles.records.debug_files import store_debug_files
from debugfiles.retention.policy import policy_of
from debugfiles.sending import send
from debugfiles.upload_views import CONTENT, DOWNLOAD, PLACE, RANGE, UploadView, form_of, query, row_id
from engine.modules import DebugId, parse_code_id
from projects.access import open_project
from projects.models import Project
from projects.openapi import PAGING
from projects.paging import paginate

_TAG = ["Debug files"]
_NAME = query("name", "The file's name, where the body is the file itself.")
_DEBUG_ID = query("debug_id", "The id of a file that does not name its own: ProGuard, BCSymbolMap, UUID map, IL2CPP.")


class ProjectDebugFiles(UploadView):
    @extend_schema(
        operation_id="list_debug_files",
        summary="List debug files",
        tags=_TAG,
        parameters=[
            *PLACE,
            *PAGING,
            query("query", "A part of the name, or a debug id or code id."),
            query("debug_id", "Files with this debug id."),
            query("code_id", "Files with this code id."),
        ],
        responses={200: DebugFiles, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, **names: str) -> Response:
        """Newest first."""
        access = self.open(request, names)
        page = paginate(request, _found(access.project, request), newest_first=True)
        policy = policy_of(access.project)
        return answer([debug_file_view(row, policy) for row in page.rows], Link=page.link)

    @extend_schema(
        operation_id="upload_debug_file",
        summary="Upload a debug file",
        tags=_TAG,
        parameters=[*PLACE, _NAME, _DEBUG_ID],
        request=form_of(name="The file's name.", debug_id="As in the query."),
        responses={201: DebugFiles, **refusals(403, 404, *BODY_STATUSES)},
    )
    def post(self, request: Request, **names: str) -> Response:
        """ELF, Mach-O (fat ones too), PE, PDB, portable PDB, WebAssembly, Breakpad, ProGuard, source bundles, maps.

        Or an archive of them: ZIP, tar (also packed), 7z, cab, cpio, ar. The answer has one entry for each object, also
        when it had been there before; of an archive the first 500, and in `Location` the upload, which says what was
        not taken and why. Symbolication uses the files from the next request on.

        Needs `project:write`, `project:admin`, `project:releases` or `org:ci`.
        """
        access = self.open(request, names)
        with received(request) as got:
            upload = Upload(got.incoming, got.field("name") or storable(got.filename), _debug_id(got.field("debug_id")))
            rows, made = store_debug_files(project=access.project, actor=access.actor, upload=upload)
        policy = policy_of(access.project)
        headers = {} if made is None else {"Location": request.build_absolute_uri(f"../uploads/{made.pk}/")}
        return answer([debug_file_view(row, policy) for row in rows], 201, **headers)


class ProjectDebugFile(UploadView):
    @extend_schema(
        operation_id="get_debug_file",
        summary="Show a debug file",
        tags=_TAG,
        parameters=[*PLACE],
        responses={200: DebugFileView, **refusals(403, 404)},
    )
    def get(self, request: Request, file_id: str, **names: str) -> Response:
        """What is known of it."""
        project = self.open(request, names).project
        return answer(debug_file_view(_file(project, file_id), policy_of(project)))

    @extend_schema(
        operation_id="delete_debug_file",
        summary="Delete a debug file",
        tags=_TAG,
        parameters=[*PLACE],
        responses={204: None, **refusals(403, 404)},
    )
    def delete(self, request: Request, file_id: str, **names: str) -> Response:
        """Symbolication does without it from the next request on. Needs `project:admin` or `project:releases`."""
        access = self.open(request, names)
        services.delete_debug_file(project=access.project, actor=access.actor, file_id=row_id(file_id))
        return Response(status=204)


class ProjectDebugFileContent(UploadView):
    @extend_schema(
        operation_id="download_debug_file",
        summary="Download a debug file",
        tags=_TAG,
        parameters=[*PLACE, RANGE],
        responses={**CONTENT, **refusals(403, 404)},
    )
    def get(self, request: Request, file_id: str, **names: str) -> HttpResponseBase:
        """The object as it was uploaded, of a fat file that part. Needs `symbols:read` or `project:write`."""
        organization, project = names["organization_id_or_slug"], names["project_id_or_slug"]
        access = open_project(request, organization, project, any_of=DOWNLOAD)
        row = _file(access.project, file_id)
        return send(request, row.blob, row.object_name, row.object_offset, row.object_size)


def _file(project: Project, file_id: str) -> DebugFile:
    row = DebugFile.objects.filter(project=project, pk=row_id(file_id)).select_related("blob").first()
    if row is None:
        raise not_found()
    return row


def _found(project: Project, request: Request) -> QuerySet[DebugFile]:
    rows = DebugFile.objects.filter(project=project)
    asked = {name: storable(request.query_params.get(name, "")) for name in ("query", "debug_id", "code_id")}
    if asked["debug_id"]:
        rows = rows.filter(with_debug_id(_debug_id(asked["debug_id"])))
    if asked["code_id"]:
        rows = rows.filter(code_id=parse_code_id(asked["code_id"]) or "-")
    return rows.filter(matching(asked["query"])) if asked["query"] else rows


def _debug_id(text: str) -> DebugId | None:
    found = DebugId.parse(text) if text else None
    if text and found is None:
        raise ApiError("debug_id: must be a UUID, with an age at its end if need be", field="debug_id")
    return found
