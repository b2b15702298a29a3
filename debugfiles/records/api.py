"""REST: what was uploaded to a project, when, by whom, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import answer, not_found
from core.openapi import ArrayOf, refusals
from core.text import storable
from debugfiles.records.models import UploadRecord
from debugfiles.upload_views import PLACE, UploadView, query, row_id
from projects.openapi import PAGING
from projects.paging import paginate

_TAG = ["Uploads"]


class TakenFile(msgspec.Struct):
    """A file that was stored, and the debug ids that it is found by."""

    name: str
    ids: list[str]


class RefusedFile(msgspec.Struct):
    """A file that was not stored."""

    name: str
    reason: str


class UploadOutcomes(msgspec.Struct):
    """The first 500 of either kind."""

    taken: list[TakenFile] = []
    refused: list[RefusedFile] = []


class UploadSummary(msgspec.Struct, rename="camel", kw_only=True):
    """One upload. `takenCount` and `refusedCount` are exact; `problem` says why an archive was not read to its end."""

    id: str
    rxid: str
    format: str
    name: str
    tag: str
    values: dict[str, str]
    size: int
    taken_count: int
    refused_count: int
    problem: str | None
    token_prefix: str | None
    user_id: str | None
    date_created: datetime


class UploadDetails(UploadSummary):
    """One upload with its files."""

    files: UploadOutcomes


class UploadSummaries(ArrayOf):
    item = UploadSummary


class ProjectUploads(UploadView):
    @extend_schema(
        operation_id="list_uploads",
        summary="List uploads",
        tags=_TAG,
        parameters=[*PLACE, *PAGING, query("tag", "Uploads with this tag.")],
        responses={200: UploadSummaries, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, **names: str) -> Response:
        """Newest first: archives, and everything that came by the tools of Backtrace and Breakpad."""
        rows = UploadRecord.objects.filter(project=self.open(request, names).project).defer("outcomes")
        tag = storable(request.query_params.get("tag", ""))
        if tag:
            rows = rows.filter(tag=tag)
        page = paginate(request, rows, newest_first=True)
        return answer([UploadSummary(**_shown(row)) for row in page.rows], Link=page.link)


class ProjectUpload(UploadView):
    @extend_schema(
        operation_id="get_upload",
        summary="Show an upload",
        tags=_TAG,
        parameters=[*PLACE],
        responses={200: UploadDetails, **refusals(403, 404)},
    )
    def get(self, request: Request, upload_id: str, **names: str) -> Response:
        """With what was taken of it, and what was not and why."""
        project = self.open(request, names).project
        row = UploadRecord.objects.filter(project=project, pk=row_id(upload_id)).first()
        if row is None:
            raise not_found()
        return answer(UploadDetails(**_shown(row), files=msgspec.convert(row.outcomes, UploadOutcomes)))


def _shown(row: UploadRecord) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "rxid": row.rxid,
        "format": row.format,
        "name": row.name,
        "tag": row.tag,
        "values": dict(row.values),
        "size": row.size,
        "taken_count": row.taken,
        "refused_count": row.refused,
        "problem": row.problem or None,
        "token_prefix": row.token_prefix or None,
        "user_id": None if row.user_id is None else str(row.user_id),
        "date_created": row.created_at,
    }
