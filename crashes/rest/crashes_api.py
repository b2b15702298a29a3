"""REST: crashes. Newest first, one with what is known of it, processed again, deleted."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import answer, not_found
from core.openapi import refusals
from crashes.grouping import grouping
from crashes.models import Crash, CrashResult, LackedFile
from crashes.rest.asking import ADMIN, CRASH, FILTERS, PLACE, TAG, WRITE, CrashView, find_crash
from crashes.rest.paging import paginate_by
from crashes.rest.shapes import (
    CrashDetails,
    CrashGroupSummary,
    CrashSummaries,
    CrashSummary,
    GroupedBy,
    crash_values,
    group_values,
    lacks_shown,
)
from crashes.results import Result, result_json, stored_result
from crashes.retention.deleting import delete_crashes
from crashes.searching import matching_crashes, read_query
from crashes.services import process_again
from projects.openapi import PAGING

_MOST_LACKS: Final = 200
# Large, and no list shows them.
_UNSHOWN: Final = ("attributes", "classifiers", "modifiers", "problem")


class ProjectCrashes(CrashView):
    @extend_schema(
        operation_id="list_crashes",
        summary="List crashes",
        tags=TAG,
        parameters=[*PLACE, *PAGING, *FILTERS],
        responses={200: CrashSummaries, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, **names: str) -> Response:
        """Newest first. Of several filters all hold."""
        rows = matching_crashes(self.open(request, names).project, read_query(request.query_params))
        page = paginate_by(request, rows.defer(*_UNSHOWN), "received_at")
        return answer([CrashSummary(**crash_values(row)) for row in page.rows], Link=page.link)


class ProjectCrash(CrashView):
    @extend_schema(
        operation_id="get_crash",
        summary="Show a crash",
        tags=TAG,
        parameters=[*PLACE, CRASH],
        responses={200: CrashDetails, **refusals(403, 404)},
    )
    def get(self, request: Request, crash_id: str, **names: str) -> Response:
        """With its attributes, how far its processing is, why it is in its group, and which files it lacks."""
        return answer(_details(find_crash(self.open(request, names).project, crash_id)))

    @extend_schema(
        operation_id="delete_crash",
        summary="Delete a crash",
        tags=TAG,
        parameters=[*PLACE, CRASH],
        responses={204: None, **refusals(403, 404)},
    )
    def delete(self, request: Request, crash_id: str, **names: str) -> Response:
        """With its report, attachments and result, for good. Its group keeps its count. Needs `event:admin`."""
        access = self.open(request, names, ADMIN)
        crash = find_crash(access.project, crash_id)
        if not delete_crashes(project=access.project, crash_ids=[crash.pk], actor=access.actor):
            raise not_found()
        return Response(status=204)


class ProjectCrashResult(CrashView):
    @extend_schema(
        operation_id="get_crash_result",
        summary="Show what processing made of a crash",
        tags=TAG,
        parameters=[*PLACE, CRASH],
        responses={200: Result, **refusals(403, 404)},
    )
    def get(self, request: Request, crash_id: str, **names: str) -> HttpResponseBase:
        """Stacks with names, modules with what they lack, the exceptions. 404 before there is one."""
        crash = find_crash(self.open(request, names).project, crash_id)
        body = CrashResult.objects.filter(pk=crash.pk).values_list("body", flat=True).first()
        if body is None:
            raise not_found()
        return HttpResponse(result_json(body), content_type="application/json")


class ProjectCrashProcessing(CrashView):
    @extend_schema(
        operation_id="process_crash",
        summary="Process a crash again",
        tags=TAG,
        parameters=[*PLACE, CRASH],
        request=None,
        responses={202: CrashSummary, **refusals(403, 404, 409)},
    )
    def post(self, request: Request, crash_id: str, **names: str) -> Response:
        """With the project's files and sources as they are now; the earlier result stays until then.

        Needs `event:write`. A crash that was set aside gets all its tries again.
        """
        access = self.open(request, names, WRITE)
        process_again(access=access, crash=find_crash(access.project, crash_id))
        return answer(CrashSummary(**crash_values(find_crash(access.project, crash_id))), 202)


def _details(crash: Crash) -> CrashDetails:
    lacks = LackedFile.objects.filter(lacks__crash=crash).order_by("id")[:_MOST_LACKS]
    grouped = _grouped_by(crash)
    return CrashDetails(
        **crash_values(crash),
        attributes=crash.attributes,
        classifiers=crash.classifiers,
        attempts=crash.attempts,
        problem=crash.problem,
        date_processed=crash.processed_at,
        has_result=grouped is not None,
        stored_bytes=crash.stored_bytes,
        sha256=crash.sha256,
        attachment_count=crash.attachments.count(),
        group=None if crash.group is None else CrashGroupSummary(**group_values(crash.group)),
        grouped_by=grouped,
        lacks=lacks_shown(list(lacks)),
    )


def _grouped_by(crash: Crash) -> GroupedBy | None:
    result = stored_result(crash)
    if result is None:
        return None
    found = grouping(crash, result)
    return GroupedBy(found.fingerprint, found.fingerprint == crash.fingerprint, list(found.parts))
