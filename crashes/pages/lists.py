"""Lists: the groups of a project, and its crashes one by one."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from core.pages import page
from crashes.models import Crash, Group
from crashes.pages.lists_figures import MOST_COUNTED, group_rows, set_aside_count
from crashes.pages.lists_own import sending
from crashes.pages.lists_search import PAGE_SIZE, chosen, read_search
from crashes.rest.asking import READ, WRITE
from crashes.rest.paging import Part, part_by
from crashes.searching import Asked, any_crash, matching_crashes, matching_groups
from crashes.searching.words import words_of
from projects.access import ProjectAccess
from projects.pages import project_page
from projects.pages.commands import Command, Place, base_url

_SORTS: Final = {"last": "last_seen", "count": "count", "first": "first_seen"}
_SORT_WORDS: Final = (("last", "last seen"), ("count", "most crashes"), ("first", "newest fault"))
_EVERY: Final = "all"
# Large, and no list shows them.
_UNSHOWN: Final = ("attributes", "classifiers", "modifiers")


@require_safe
@project_page(*READ)
def groups(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """The faults of a project: crashes in their groups."""
    search = read_search(request)
    sort = chosen(request, "sort", tuple(_SORTS), "last")
    state = chosen(request, "state", (*Group.State.values, _EVERY), Group.State.OPEN.value)
    asked = Asked(group_state="" if state == _EVERY else state).joined(search.asked)
    part = part_by(request.GET.get("cursor", ""), matching_groups(access.project, asked), _SORTS[sort], PAGE_SIZE)
    values = {
        "rows": group_rows(access.project, part.rows),
        "sort": sort,
        "sorts": _SORT_WORDS,
        "state": state,
        "states": (*Group.State.values, _EVERY),
    }
    return page(request, "crashes/groups.html", {**_common(request, access, part), "search": search, **values})


@require_safe
@project_page(*READ)
def crashes(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """The crashes of a project, newest first."""
    search = read_search(request)
    state = chosen(request, "state", Crash.State.values, "")
    asked = Asked(state=state).joined(search.asked)
    rows = matching_crashes(access.project, asked).defer(*_UNSHOWN)
    part = part_by(request.GET.get("cursor", ""), rows, "received_at", PAGE_SIZE)
    values = {"rows": part.rows, "state": state, "states": Crash.State.values, "words": words_of(asked), "asked": asked}
    return page(request, "crashes/crashes.html", {**_common(request, access, part), "search": search, **values})


def _common(request: HttpRequest, access: ProjectAccess, part: Part[Any]) -> dict[str, Any]:
    is_empty = not part.rows and not any_crash(access.project)
    return {
        "part": part,
        "is_empty": is_empty,
        "commands": _commands(request, access) if is_empty else (),
        "set_aside": set_aside_count(access.project),
        "most_counted": MOST_COUNTED,
        "may_write": not access.scopes.isdisjoint(WRITE),
    }


def _commands(request: HttpRequest, access: ProjectAccess) -> list[Command]:
    return sending(Place(base_url(request), access.organization, access.project))
