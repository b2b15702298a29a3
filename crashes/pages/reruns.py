"""Runs over many crashes: how far they are, starting and ending them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from core.api import ApiError, MissingScope
from core.pages import page, redirect_to
from core.times import read_moment
from crashes.again import reruns as runs
from crashes.again.choosing import Chosen
from crashes.again.shapes import RerunProgress, progress
from crashes.grouping import regrouping
from crashes.models import Crash, Rerun
from crashes.rest.asking import READ, WRITE, row_number
from crashes.searching import read_words
from crashes.searching.words import LONGEST
from projects.access import ProjectAccess
from projects.pages import project_page

_MOST_SHOWN: Final = 50
_GOING_ON: Final = frozenset({Rerun.State.RUNNING.value, Rerun.State.QUEUED.value})


@dataclass(frozen=True, slots=True)
class Run:
    """A run as a page shows it. `said` is what its filter means in words; `done` counts those that failed too."""

    row: Rerun
    progress: RerunProgress
    said: str

    @property
    def done(self) -> int:
        one = self.progress
        return one.queued if one.kind == Rerun.Kind.REGROUP.value else one.done + one.failed

    @property
    def goes_on(self) -> bool:
        return self.progress.state in _GOING_ON

    @property
    def may_be_cancelled(self) -> bool:
        return self.goes_on and self.row.kind == Rerun.Kind.PROCESS


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(*READ)
def listed(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """Runs that go on and have ended, newest first; a POST starts one."""
    if request.method == "POST":
        return _start(request, access)
    rows = Rerun.objects.filter(project=access.project).select_related("user").order_by("-id")[:_MOST_SHOWN]
    shown = [Run(row, one, _said(one)) for row in rows for one in [progress(row)]]
    words = request.GET.get("q", "")[:LONGEST]
    values = {
        "runs": shown,
        "going_on": any(run.goes_on for run in shown),
        "may_write": not access.scopes.isdisjoint(WRITE),
        "words": words,
        "crash_count": Crash.objects.filter(project=access.project).exclude(state=Crash.State.KEPT).count(),
    }
    return page(request, "crashes/reruns.html", values)


@require_POST
@project_page(*WRITE)
def cancel(request: HttpRequest, access: ProjectAccess, rerun_id: str) -> HttpResponse:
    """Queue no more crashes of a run."""
    row = Rerun.objects.filter(project=access.project, pk=row_number(rerun_id)).first()
    if row is None or row.kind != Rerun.Kind.PROCESS:
        raise ApiError("There is no such run, or it cannot be cancelled.", status=404)
    runs.cancel(rerun=row, actor=access.actor)
    messages.success(request, "Cancelled. What waits already is still symbolicated.")
    return _to_list(request, access)


@require_POST
@project_page(*WRITE)
def regroup(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """Group all crashes again, without symbolication."""
    regrouping.start(project=access.project, actor=access.actor)
    messages.success(request, "The crashes are being grouped again.")
    return _to_list(request, access)


def _start(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    if access.scopes.isdisjoint(WRITE):
        raise MissingScope(WRITE)
    words = " ".join(request.POST.get("q", "").split())
    problems = read_words(words)[1]
    if problems:
        messages.error(request, f"Nothing was started. {problems[0]}")
        return _to_list(request, access)
    chosen = Chosen(
        search=words or None,
        state=_state(request.POST.get("state", "")),
        since=read_moment(request.POST.get("since", "")),
        until=read_moment(request.POST.get("until", "")),
    )
    reason = request.POST.get("reason", "").strip() or "by hand"
    made = runs.start(project=access.project, actor=access.actor, chosen=chosen, reason=reason)
    messages.success(request, f"Started: {made.total:,} crashes are symbolicated again.")
    return _to_list(request, access)


def _to_list(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    return redirect_to(request, "crash_pages:reruns", access.organization.slug, access.project.slug)


def _state(text: str) -> Any:
    return text if text in ("pending", "running", "done", "set_aside") else None


def _said(one: RerunProgress) -> str:
    if one.kind == Rerun.Kind.REGROUP.value:
        return "all crashes, grouped again"
    if one.filter is None:
        return "crashes that lacked a file that came"
    return " ".join(_words(one.filter)) or "all crashes"


def _words(chosen: Chosen) -> Iterator[str]:
    for name in ("state", "group", "version", "platform", "os", "lacking"):
        value = getattr(chosen, name)
        if value:
            yield f"{name}:{value}"
    if chosen.ids:
        yield f"{len(chosen.ids)} chosen crashes"
    for name, moment in (("since", chosen.since), ("until", chosen.until)):
        if moment is not None:
            yield f"{name}:{moment:%Y-%m-%dT%H:%MZ}"
    if chosen.search:
        yield chosen.search
