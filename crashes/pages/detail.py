"""One crash."""

from __future__ import annotations

import re
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe
from rest_framework.exceptions import NotFound

from core.pages import page, redirect_to
from crashes.grouping import grouping
from crashes.models import Crash, LackedFile
from crashes.pages.shown import show
from crashes.pages.shown.words import as_markdown, as_text
from crashes.processing.queueing import ENDED
from crashes.rest.asking import RAW, READ, WRITE, find_crash
from crashes.results import Result, stored_result
from crashes.services import process_again
from projects.access import ProjectAccess
from projects.pages import project_page

_MOST_LACKS: Final = 50
_MOST_OPEN: Final = 20
_WORDS: Final = re.compile(r"\w+")


@require_safe
@project_page(*READ)
def crash(request: HttpRequest, access: ProjectAccess, crash_id: str) -> HttpResponse:
    """A crash: what happened, the crashed thread, and everything else within reach."""
    row = find_crash(access.project, crash_id)
    result = stored_result(row)
    return page(request, "crashes/crash.html", {**_facts(access, row), **_shown(request, row, result)})


@require_safe
@project_page(*READ)
def thread(request: HttpRequest, access: ProjectAccess, crash_id: str) -> HttpResponse:
    """The frames of one thread, for a page that had folded it. 404 for a thread that there is not."""
    row = find_crash(access.project, crash_id)
    shown = show(_result(row), opened=_opened(request))
    chosen = [one for one in shown.threads if one.open and one.index in _opened(request)]
    if not chosen:
        raise NotFound
    return page(request, "crashes/result/frames.html", {"thread": chosen[0], "shown": shown})


@require_safe
@project_page(*READ)
def changed(request: HttpRequest, access: ProjectAccess, crash_id: str) -> HttpResponse:
    """Whether a page that shows the crash is out of date: it is made anew then."""
    row = find_crash(access.project, crash_id)
    stale = request.GET.get("since", "") != _stamp(row)
    return HttpResponse(status=204, headers={"HX-Refresh": "true"} if stale else {})


@require_safe
@project_page(*READ)
def as_words(request: HttpRequest, access: ProjectAccess, crash_id: str) -> HttpResponse:
    """The crash as text or Markdown, to paste it elsewhere."""
    row = find_crash(access.project, crash_id)
    write = as_markdown if request.GET.get("as") == "markdown" else as_text
    text = write(row, _result(row), request.build_absolute_uri(request.path.removesuffix("text/")))
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_POST
@project_page(*WRITE)
def again(request: HttpRequest, access: ProjectAccess, crash_id: str) -> HttpResponse:
    """Process a crash again."""
    row = find_crash(access.project, crash_id)
    process_again(access=access, crash=row)
    messages.success(request, "It is being symbolicated again, with the files and sources as they are now.")
    return redirect_to(request, "crash_pages:crash", access.organization.slug, access.project.slug, row.pk)


def _result(row: Crash) -> Result:
    result = stored_result(row)
    if result is None:
        raise NotFound
    return result


def _opened(request: HttpRequest) -> set[int]:
    asked = request.GET.getlist("thread")[:_MOST_OPEN]
    return {int(text) for text in asked if text.isascii() and text.isdigit() and len(text) < 10}


def _stamp(row: Crash) -> str:
    """What changes whenever the page would look different."""
    processed = "" if row.processed_at is None else row.processed_at.isoformat()
    return f"{row.state} {processed} {row.attempts} {row.group_id}"


def _facts(access: ProjectAccess, row: Crash) -> dict[str, Any]:
    lacks = LackedFile.objects.filter(lacks__crash=row).order_by("id")[:_MOST_LACKS]
    return {
        "crash": row,
        "stamp": _stamp(row),
        "waits": row.state not in ENDED,
        "attributes": sorted(row.attributes.items()),
        "attachments": list(row.attachments.all()),
        "lacks": list(lacks),
        "may_process": not access.scopes.isdisjoint(WRITE) and row.state != Crash.State.KEPT,
        "may_download": not access.scopes.isdisjoint(RAW),
        "api": f"/api/0/projects/{access.organization.slug}/{access.project.slug}/crashes/{row.pk}/",
        "neighbours": _neighbours(row),
    }


def _shown(request: HttpRequest, row: Crash, result: Result | None) -> dict[str, Any]:
    if result is None:
        return {"shown": None}
    shown = show(result, opened=_opened(request))
    told = _WORDS.findall(row.title.lower())
    reason = "" if all(word in told for word in _WORDS.findall(shown.reason.lower())) else shown.reason
    return {"shown": shown, "reason": reason, "grouped_by": grouping(row, result).parts}


def _neighbours(row: Crash) -> dict[str, int | None]:
    """The crashes of the same group before and after this one."""
    if row.group_id is None:
        return {"older": None, "newer": None}
    same = Crash.objects.filter(group_id=row.group_id)
    older = same.filter(received_at__lte=row.received_at).exclude(pk=row.pk).order_by("-received_at", "-id")
    newer = same.filter(received_at__gte=row.received_at).exclude(pk=row.pk).order_by("received_at", "id")
    return {name: rows.values_list("pk", flat=True).first() for name, rows in (("older", older), ("newer", newer))}
