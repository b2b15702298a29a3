"""REST: debug files from chunks, and what clients ask or send before they know about chunks."""

from __future__ import annotations

from typing import Final

import msgspec
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiError, answer, decode_body
from core.openapi import BODY_STATUSES, refusals
from debugfiles.bodies import DebugFiles, debug_file_view
from debugfiles.models import DebugFile
from debugfiles.protocol.assemblies import Outcome, advance
from debugfiles.protocol.bodies import (
    DEBUG_FILES_ANSWER,
    DEBUG_FILES_REQUEST,
    DebugFileAssemblyView,
    DebugFileRequest,
    DebugFileRequests,
    UnknownChecksums,
)
from debugfiles.protocol.chunk_api import TAG
from debugfiles.protocol.packed import store_packed
from debugfiles.protocol.wanted import Kind, Wanted, debug_id_of
from debugfiles.receiving import received
from debugfiles.upload_views import PLACE, UploadView, form_of
from projects.access import ProjectAccess

# A file of 16 GiB has 2,048 chunks, and a build may have thousands of files.
ASSEMBLE_BYTES: Final = 32 << 20
_MOST_CHECKSUMS: Final = 10_000


class AssembleDebugFiles(UploadView):
    error_style = "sentry"
    body_limit = ASSEMBLE_BYTES

    @extend_schema(
        operation_id="assemble_debug_files",
        summary="Assemble debug files",
        tags=TAG,
        parameters=[*PLACE],
        request={"application/json": DEBUG_FILES_REQUEST},
        responses={
            200: OpenApiResponse(DEBUG_FILES_ANSWER),
            **refusals(403, 404, *BODY_STATUSES, style="sentry"),
        },
    )
    def post(self, request: Request, **names: str) -> Response:
        """Make debug files of chunks. Say which chunks a file has; the answer says which of them to upload.

        Small files are made at once. Send the same again, once a second, while a file's state is `assembling`.
        """
        access = self.open(request, names)
        wanted = [_wanted(access, checksum, one) for checksum, one in _decoded(request).items()]
        outcomes = advance(wanted, access.actor)
        views = {one.checksum: _view(outcome) for one, outcome in zip(wanted, outcomes, strict=True)}
        return Response(msgspec.to_builtins(views))


class UnknownDebugFiles(UploadView):
    error_style = "sentry"

    @extend_schema(
        operation_id="list_unknown_checksums",
        summary="Which debug files are not there",
        tags=TAG,
        parameters=[
            *PLACE,
            OpenApiParameter("checksums", str, OpenApiParameter.QUERY, many=True, description="SHA-1 of a file."),
        ],
        responses={200: UnknownChecksums, **refusals(400, 403, 404, style="sentry")},
    )
    def get(self, request: Request, **names: str) -> Response:
        """Of the checksums in the query, those that no debug file of the project has."""
        access = self.open(request, names)
        asked = list(dict.fromkeys(request.query_params.getlist("checksums")))
        if len(asked) > _MOST_CHECKSUMS:
            raise ApiError(f"checksums: at most {_MOST_CHECKSUMS}", field="checksums")
        rows = DebugFile.objects.filter(project=access.project, checksum__in=[one for one in asked if one.isalnum()])
        found = set(rows.values_list("checksum", flat=True))
        return answer(UnknownChecksums([one for one in asked if one not in found]))


class PackedDebugFiles(UploadView):
    error_style = "sentry"

    @extend_schema(
        operation_id="upload_packed_debug_files",
        summary="Upload debug files in an archive",
        tags=TAG,
        parameters=[*PLACE],
        request=form_of(),
        responses={201: DebugFiles, **refusals(403, 404, *BODY_STATUSES, style="sentry")},
    )
    def post(self, request: Request, **names: str) -> Response:
        """A ZIP archive of debug files, as clients of version 2 send ProGuard mappings; members of other kinds are
        left out. Anything but an archive is taken for a debug file itself.
        """
        access = self.open(request, names)
        with received(request) as got:
            rows = store_packed(project=access.project, actor=access.actor, incoming=got.incoming, name=got.filename)
        return answer([debug_file_view(row) for row in rows], 201)


def _decoded(request: Request) -> dict[str, DebugFileRequest]:
    try:
        return decode_body(request, DebugFileRequests, limit=ASSEMBLE_BYTES)
    except ParseError:
        raise ApiError("Invalid json body") from None


def _wanted(access: ProjectAccess, checksum: str, one: DebugFileRequest) -> Wanted:
    return Wanted(
        kind=Kind.DEBUG_FILE,
        organization=access.organization,
        projects=(access.project,),
        checksum=checksum,
        chunks=tuple(one.chunks),
        name=one.name,
        debug_id=debug_id_of(one.name, one.debug_id),
    )


def _view(outcome: Outcome) -> DebugFileAssemblyView:
    dif = msgspec.UNSET if outcome.file is None else debug_file_view(outcome.file)
    return DebugFileAssemblyView(outcome.state, list(outcome.missing), outcome.detail, dif)
