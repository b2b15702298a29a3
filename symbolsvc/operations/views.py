"""The page, the part of it that is asked for again and again, and what can be done there."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from core.pages import page, redirect_to
from symbolsvc.operations import place, work
from symbolsvc.operations.access import staff_page
from symbolsvc.operations.actions import delete_job, retry_job
from symbolsvc.operations.left_alone import left_alone

_GONE: Final = "That job is not among the failed ones any more, or one like it waits already."


@require_safe
@staff_page
def overview(request: HttpRequest) -> HttpResponse:
    """How the installation does."""
    database = place.database()
    values = {
        **_figures(),
        "failed_jobs": work.failed_jobs(),
        "set_aside": work.set_aside(),
        "database": database,
        "blobs": place.blobs(),
        "versions": place.versions(database.version),
        "settings": place.changed_settings(),
    }
    return page(request, "operations/overview.html", values)


@require_safe
@staff_page
def figures(request: HttpRequest) -> HttpResponse:
    """What changes by the second."""
    return page(request, "operations/figures.html", _figures())


@require_POST
@staff_page
def retry(request: HttpRequest, job_id: int) -> HttpResponse:
    """Run a failed job once more."""
    if retry_job(job_id, actor=request.user):
        messages.success(request, f"Job {job_id} runs again.")
    else:
        messages.warning(request, _GONE)
    return redirect_to(request, "operations:overview")


@require_POST
@staff_page
def delete(request: HttpRequest, job_id: int) -> HttpResponse:
    """Forget a failed job."""
    if delete_job(job_id, actor=request.user):
        messages.success(request, f"Job {job_id} is deleted.")
    else:
        messages.warning(request, _GONE)
    return redirect_to(request, "operations:overview")


def _figures() -> dict[str, Any]:
    return {
        "queues": work.queues(),
        "crashes": work.crashes_with_rates(),
        "workers": work.workers(),
        "crash_workers": work.crash_workers(),
        "cache": place.cache(),
        "left_alone": left_alone(),
    }
