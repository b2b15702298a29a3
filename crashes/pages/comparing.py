"""Two crashes side by side: the crashed threads, and the attributes that differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from rest_framework.exceptions import NotFound

from core.api import ApiError
from core.pages import page
from crashes.models import Crash
from crashes.pages.shown import ShownFrame, show
from crashes.rest.asking import READ, find_crash
from crashes.results import stored_result
from projects.access import ProjectAccess
from projects.pages import project_page

# Longer stacks are compared by their innermost frames.
_MOST_FRAMES: Final = 500
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two frames beside each other; None where one stack has none. `same`: the same function at the same line."""

    left: ShownFrame | None
    right: ShownFrame | None
    same: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """An attribute that two crashes do not share; None where one has it not."""

    name: str
    left: Any
    right: Any


@require_safe
@project_page(*READ)
def compare(request: HttpRequest, access: ProjectAccess, crash_id: str) -> HttpResponse:
    """A crash beside the one that the query names in `with`, else beside the one before it in its group."""
    left = find_crash(access.project, crash_id)
    right = _other(request, access, left)
    values = {
        "crashes": (left, right),
        "pairs": list(paired(_frames(left), _frames(right))),
        "differences": list(differences(left.attributes, right.attributes)),
    }
    return page(request, "crashes/compare.html", values)


def paired(left: list[ShownFrame], right: list[ShownFrame]) -> Iterator[Pair]:
    """Frames in two columns, those of the same name beside each other."""
    matcher = SequenceMatcher(None, [one.name for one in left], [one.name for one in right], autojunk=False)
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        for offset in range(max(end - start, other_end - other_start)):
            one = left[start + offset] if start + offset < end else None
            other = right[other_start + offset] if other_start + offset < other_end else None
            same = tag == "equal" and one is not None and other is not None and one.place == other.place
            yield Pair(one, other, same)


def differences(left: dict[str, Any], right: dict[str, Any]) -> Iterator[Difference]:
    """Attributes of different values, by name."""
    for name in sorted(left.keys() | right.keys()):
        if left.get(name, _MISSING) != right.get(name, _MISSING):
            yield Difference(name, left.get(name), right.get(name))


def _other(request: HttpRequest, access: ProjectAccess, crash: Crash) -> Crash:
    named = request.GET.get("with", "")
    if named:
        return find_crash(access.project, named)
    if crash.group_id is not None:
        same = Crash.objects.filter(group_id=crash.group_id).exclude(pk=crash.pk)
        found = same.order_by("-received_at", "-id").first()
        if found is not None:
            return found
    raise ApiError("with: name the crash to compare with, by its number; the group has no other one", field="with")


def _frames(crash: Crash) -> list[ShownFrame]:
    result = stored_result(crash)
    if result is None:
        raise NotFound
    shown = show(result).crashed
    return [] if shown is None else list(shown.frames[:_MOST_FRAMES])
