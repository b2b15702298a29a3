"""REST: processing many crashes again, and which files they lack."""

from __future__ import annotations

import re
from typing import Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiError, answer, decode_body, not_found
from core.openapi import BODY_STATUSES, refusals
from crashes.again import reruns
from crashes.again.lacking import most_lacked
from crashes.again.shapes import (
    LackedFileViews,
    RerunProgress,
    RerunRequest,
    RerunsProgress,
    lacked_view,
    progress,
)
from crashes.models import Rerun
from crashes.rest.asking import PLACE, TAG, WRITE, CrashView
from projects.access import ProjectAccess
from projects.openapi import PAGING
from projects.paging import page_size, paginate, relation
from projects.slugs import BIGINT_MAX

_RERUN: Final = OpenApiParameter("rerun_id", str, OpenApiParameter.PATH, description="The run's number.")
_FROM: Final = re.compile(r"0:([0-9]{1,9}):[01]")
_MOST_STARTS: Final = 100_000
_EXAMPLE: Final = OpenApiExample(
    "All crashes of a version",
    {"filter": {"version": "2.1.0"}, "reason": "the symbols of 2.1.0 were repaired"},
    request_only=True,
)


class ProjectReruns(CrashView):
    @extend_schema(
        operation_id="list_crash_reruns",
        summary="List runs over many crashes",
        tags=TAG,
        parameters=[*PLACE, *PAGING],
        responses={200: RerunsProgress, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, **names: str) -> Response:
        """Newest first: those that were started by hand and those that an upload or a source caused."""
        rows = Rerun.objects.filter(project=self.open(request, names).project)
        page = paginate(request, rows, newest_first=True)
        return answer([progress(row) for row in page.rows], Link=page.link)

    @extend_schema(
        operation_id="process_crashes",
        summary="Process many crashes again",
        tags=TAG,
        parameters=[*PLACE],
        request=RerunRequest,
        examples=[_EXAMPLE],
        responses={202: RerunProgress, **refusals(403, 404, 429, *BODY_STATUSES)},
    )
    def post(self, request: Request, **names: str) -> Response:
        """Those that the filter means and that have come by now, in the background. Needs `event:write`."""
        access = self.open(request, names, WRITE)
        body = decode_body(request, RerunRequest)
        started = reruns.start(project=access.project, actor=access.actor, chosen=body.filter, reason=body.reason)
        return answer(progress(started), 202)


class ProjectRerun(CrashView):
    @extend_schema(
        operation_id="get_crash_rerun",
        summary="Show how far a run over many crashes is",
        tags=TAG,
        parameters=[*PLACE, _RERUN],
        responses={200: RerunProgress, **refusals(403, 404)},
    )
    def get(self, request: Request, rerun_id: str, **names: str) -> Response:
        return answer(progress(_find(self.open(request, names), rerun_id)))

    @extend_schema(
        operation_id="cancel_crash_rerun",
        summary="Cancel a run over many crashes",
        tags=TAG,
        parameters=[*PLACE, _RERUN],
        responses={200: RerunProgress, **refusals(403, 404)},
    )
    def delete(self, request: Request, rerun_id: str, **names: str) -> Response:
        """No more crashes are queued; those that wait already are still processed. Needs `event:write`."""
        access = self.open(request, names, WRITE)
        return answer(progress(reruns.cancel(rerun=_find(access, rerun_id), actor=access.actor)))


class ProjectLackedFiles(CrashView):
    @extend_schema(
        operation_id="list_lacked_files",
        summary="List the files that crashes lack",
        tags=TAG,
        parameters=[*PLACE, *PAGING],
        responses={200: LackedFileViews, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, **names: str) -> Response:
        """What to upload next: first the file that most crashes lack."""
        project = self.open(request, names).project
        start, size = (
            _start(request.query_params.get("cursor", "")),
            page_size(request.query_params.get("per_page", "")),
        )
        rows = most_lacked(project, start, size + 1)
        before = relation(request, "previous", f"0:{max(0, start - size)}:1", start > 0)
        after = relation(request, "next", f"0:{start + size}:0", len(rows) > size)
        return answer([lacked_view(row) for row in rows[:size]], Link=f"{before}, {after}")


def _start(cursor: str) -> int:
    """How many files stand before the page: this list changes its order all the time, no row can mark a place in it."""
    if not cursor:
        return 0
    match = _FROM.fullmatch(cursor)
    if match is None or int(match[1]) > _MOST_STARTS:
        raise ApiError("cursor: is malformed", field="cursor")
    return int(match[1])


def _find(access: ProjectAccess, rerun_id: str) -> Rerun:
    if not re.fullmatch("[0-9]{1,19}", rerun_id, re.ASCII) or int(rerun_id) > BIGINT_MAX:
        raise not_found()
    found = Rerun.objects.filter(project=access.project, pk=int(rerun_id)).first()
    if found is None:
        raise not_found()
    return found
