"""REST: groups of crashes, what is decided about them, and grouping again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, timedelta
from typing import Final, Literal

import msgspec
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiError, answer, decode_body, not_found
from core.openapi import BODY_STATUSES, refusals
from crashes.grouping.deciding import set_state
from crashes.grouping.regrouping import start
from crashes.models import Crash, Group
from crashes.rest.asking import GROUP_FILTERS, PLACE, TAG, WRITE, CrashView, find_group, query
from crashes.rest.paging import paginate_by
from crashes.rest.shapes import (
    CrashGroupDetails,
    CrashGroupSummaries,
    CrashGroupSummary,
    CrashSummary,
    DayCount,
    RegroupRun,
    crash_values,
    group_values,
    run_shown,
)
from crashes.searching import matching_groups, read_query
from projects.openapi import PAGING

DAYS: Final = 30
_SORTS: Final = {"lastSeen": "last_seen", "firstSeen": "first_seen", "count": "count"}
_GROUP: Final = OpenApiParameter("group_id", str, OpenApiParameter.PATH, description="Id of the group.")
_EXAMPLE: Final = OpenApiExample("The fault is mended", {"state": "resolved"}, request_only=True)


class GroupChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is decided about a group. Another crash opens a resolved group, an ignored one it does not."""

    state: Literal["open", "resolved", "ignored"]


class CrashGroups(CrashView):
    @extend_schema(
        operation_id="list_crash_groups",
        summary="List groups of crashes",
        tags=TAG,
        parameters=[
            *PLACE,
            *PAGING,
            query("sort", "Latest, newest or largest first.", enum=list(_SORTS), default="lastSeen"),
            *GROUP_FILTERS,
        ],
        responses={200: CrashGroupSummaries, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, **names: str) -> Response:
        """Groups whose crashes have all moved to others are left out."""
        asked = read_query(request.query_params, of_groups=True)
        rows = matching_groups(self.open(request, names).project, asked)
        sort = _one_of(_SORTS, "sort", request.query_params.get("sort", "") or "lastSeen")
        page = paginate_by(request, rows.defer("versions", "platforms"), _SORTS[sort])
        return answer([CrashGroupSummary(**group_values(row)) for row in page.rows], Link=page.link)


class CrashGroup(CrashView):
    @extend_schema(
        operation_id="get_crash_group",
        summary="Show a group of crashes",
        tags=TAG,
        parameters=[*PLACE, _GROUP],
        responses={200: CrashGroupDetails, **refusals(403, 404)},
    )
    def get(self, request: Request, group_id: str, **names: str) -> Response:
        """With how often it crashed where, and when."""
        return answer(_details(find_group(self.open(request, names).project, group_id)))

    @extend_schema(
        operation_id="set_crash_group",
        summary="Decide about a group of crashes",
        tags=TAG,
        parameters=[*PLACE, _GROUP],
        request=GroupChange,
        examples=[_EXAMPLE],
        responses={200: CrashGroupDetails, **refusals(403, 404, *BODY_STATUSES)},
    )
    def put(self, request: Request, group_id: str, **names: str) -> Response:
        """Resolved, ignored, or open again. Needs `event:write`."""
        access = self.open(request, names, WRITE)
        group = find_group(access.project, group_id)
        body = decode_body(request, GroupChange)
        try:
            changed = set_state(group=group, state=Group.State(body.state), actor=access.actor)
        except Group.DoesNotExist:
            raise not_found() from None
        return answer(_details(changed))


class CrashRegrouping(CrashView):
    @extend_schema(
        operation_id="regroup_crashes",
        summary="Group all crashes again",
        tags=TAG,
        parameters=[*PLACE],
        request=None,
        responses={202: RegroupRun, **refusals(403, 404)},
    )
    def post(self, request: Request, **names: str) -> Response:
        """From their results, without symbolication, in the background. Answers the run that does so already, if any.

        Needs `event:write`.
        """
        access = self.open(request, names, WRITE)
        return answer(run_shown(start(project=access.project, actor=access.actor)), 202)


def _one_of(known: Collection[str], name: str, text: str) -> str:
    if text not in known:
        raise ApiError(f"{name}: is not one of the allowed values", field=name)
    return text


def _details(group: Group) -> CrashGroupDetails:
    newest = Crash.objects.filter(group=group).order_by("-received_at", "-id").first()
    return CrashGroupDetails(
        **group_values(group),
        versions=sorted_counts(group.versions),
        platforms=sorted_counts(group.platforms),
        days=days_of(group),
        newest_crash=None if newest is None else CrashSummary(**crash_values(newest)),
    )


def sorted_counts(counts: dict[str, int]) -> dict[str, int]:
    """The largest first."""
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def days_of(group: Group) -> list[DayCount]:
    """The last days, those without a crash too; crashes deleted since are not in it."""
    midnight = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=DAYS - 1)
    rows = Crash.objects.filter(group=group, received_at__gte=first).order_by()
    by_day = rows.annotate(day=TruncDate("received_at", tzinfo=UTC)).values("day").annotate(count=Count("*"))
    counts = dict(by_day.values_list("day", "count"))
    days = [(first + timedelta(days=number)).date() for number in range(DAYS)]
    return [DayCount(day, counts.get(day, 0)) for day in days]
