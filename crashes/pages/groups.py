"""One group, and what is decided about it."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe
from rest_framework.exceptions import NotFound

from core.api import ApiError
from core.pages import page, redirect_to
from crashes.again import reruns
from crashes.again.choosing import Chosen
from crashes.grouping import grouping
from crashes.grouping.deciding import set_state
from crashes.grouping.parts import Part
from crashes.models import Crash, Group
from crashes.pages.lists_figures import group_rows
from crashes.pages.lists_search import PAGE_SIZE
from crashes.rest.asking import READ, WRITE, find_group
from crashes.rest.groups_api import days_of, sorted_counts
from crashes.rest.paging import part_by
from crashes.results import stored_result
from projects.access import ProjectAccess
from projects.pages import project_page

_MOST_LABELS: Final = 20
_UNSHOWN: Final = ("attributes", "classifiers", "modifiers")
_SAID: Final = {
    Group.State.RESOLVED: "Resolved. If it crashes once more, the group is open again and says so.",
    Group.State.IGNORED: "Ignored. Its crashes are counted, and it stays out of the list of open ones.",
    Group.State.OPEN: "Open again.",
}


@require_safe
@project_page(*READ)
def group(request: HttpRequest, access: ProjectAccess, group_id: str) -> HttpResponse:
    """A fault: how often, since when, in which versions, and its crashes."""
    row = find_group(access.project, group_id)
    rows = Crash.objects.filter(group=row).defer(*_UNSHOWN)
    part = part_by(request.GET.get("cursor", ""), rows, "received_at", PAGE_SIZE)
    newest = list(rows.order_by("-received_at", "-id")[:2])
    days = days_of(row)
    values = {
        "row": group_rows(access.project, [row])[0],
        "group": row,
        "part": part,
        "rows": part.rows,
        "newest": newest,
        "days": days,
        "counts": [day.count for day in days],
        "busiest": max(days, key=lambda day: day.count),
        "total": sum(day.count for day in days),
        "versions": list(sorted_counts(row.versions).items())[:_MOST_LABELS],
        "platforms": list(sorted_counts(row.platforms).items())[:_MOST_LABELS],
        "grouped_by": _grouped_by(newest),
        "may_write": not access.scopes.isdisjoint(WRITE),
        "choices": [state for state in Group.State.values if state != row.state],
    }
    return page(request, "crashes/group.html", values)


@require_POST
@project_page(*WRITE)
def change(request: HttpRequest, access: ProjectAccess, group_id: str) -> HttpResponse:
    """Resolve a group, ignore it, or open it again."""
    row = find_group(access.project, group_id)
    wanted = request.POST.get("state", "")
    if wanted not in Group.State.values:
        raise ApiError("state: is not one of the allowed values", field="state")
    try:
        set_state(group=row, state=Group.State(wanted), actor=access.actor)
    except Group.DoesNotExist:
        raise NotFound from None
    messages.success(request, _SAID[Group.State(wanted)])
    return redirect_to(request, "crash_pages:group", access.organization.slug, access.project.slug, row.pk)


@require_POST
@project_page(*WRITE)
def again(request: HttpRequest, access: ProjectAccess, group_id: str) -> HttpResponse:
    """Have all crashes of a group processed again."""
    row = find_group(access.project, group_id)
    chosen = Chosen(group=row.pk)
    reruns.start(project=access.project, actor=access.actor, chosen=chosen, reason=f"group {row.pk}, by hand")
    messages.success(request, "They are being symbolicated again, with the files and sources as they are now.")
    return redirect_to(request, "crash_pages:reruns", access.organization.slug, access.project.slug)


def _grouped_by(newest: list[Crash]) -> list[Part]:
    """What counts for the fingerprint, told by the newest crash."""
    result = stored_result(newest[0]) if newest else None
    return [] if result is None else list(grouping(newest[0], result).parts)
