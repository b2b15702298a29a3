"""Rules that people set for a project's uploads: how long they are kept, how much they take, what may be fetched."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from core.api import ApiError
from core.pages import page, redirect_to
from debugfiles.models import Retention
from debugfiles.pages.forms import RetentionForm, ScrapingForm
from debugfiles.retention.api import READ, WRITE
from debugfiles.retention.expiring import next_expiry
from debugfiles.retention.holdings import used_bytes
from debugfiles.retention.policy import default_policy, policy_of, set_rules
from debugfiles.scraping import set_scraping, stored_scraping
from debugfiles.scraping_api import WRITE as SCRAPING_WRITE
from projects.access import ProjectAccess
from projects.models import Project
from projects.pages import project_page

_METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(_METHODS)
@project_page(*READ)
def retention(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """What the uploads take, and for how long they are kept."""
    if request.method == "POST":
        return _set_retention(request, access)
    row = Retention.objects.filter(project=access.project).first()
    return _retention_page(
        request, access, RetentionForm(initial=RetentionForm.initial_of(row), default=default_policy())
    )


@require_http_methods(_METHODS)
@project_page(*READ)
def scraping(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """From where scripts and source maps are fetched."""
    row = stored_scraping(access.project)
    names = list(row.header_names)
    if request.method != "POST":
        form = ScrapingForm(initial=ScrapingForm.initial_of(row), header_names=names)
        return _scraping_page(request, access, form)
    _demand(access, SCRAPING_WRITE)
    form = ScrapingForm(request.POST, header_names=names)
    if form.is_valid() and _set_scraping(access, form):
        messages.success(request, "Saved. It holds for the next symbolication.")
        return redirect_to(request, "files:scraping", access.organization.slug, access.project.slug)
    return _scraping_page(request, access, form)


def _set_retention(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    _demand(access, WRITE)
    form = RetentionForm(request.POST, default=default_policy())
    if not form.is_valid():
        return _retention_page(request, access, form)
    set_rules(
        project=access.project,
        actor=access.actor,
        keep_days=form.stored_days,
        quota_bytes=form.stored_bytes,
        when_full=form.when,
    )
    messages.success(request, "Saved. What has expired now goes within the hour.")
    return redirect_to(request, "files:retention", access.organization.slug, access.project.slug)


def _set_scraping(access: ProjectAccess, form: ScrapingForm) -> bool:
    try:
        set_scraping(
            project=access.project,
            actor=access.actor,
            enabled=form.cleaned_data["enabled"],
            allowed_origins=form.origins,
            headers=form.headers,
            verify_ssl=form.cleaned_data["verify_ssl"],
        )
    except ApiError as error:
        form.add_error("allowed_origins" if error.field == "allowed_origins" else None, error.message)
        return False
    return True


def _demand(access: ProjectAccess, scopes: tuple[str, ...]) -> None:
    if access.scopes.isdisjoint(scopes):
        raise ApiError("Your role in this organization does not allow it.", status=403)


def _retention_page(request: HttpRequest, access: ProjectAccess, form: RetentionForm) -> HttpResponse:
    values = {"form": form, "may_write": not access.scopes.isdisjoint(WRITE), **_usage(access.project)}
    return page(request, "debugfiles/retention.html", values, status=400 if form.errors else 200)


def _scraping_page(request: HttpRequest, access: ProjectAccess, form: ScrapingForm) -> HttpResponse:
    values = {"form": form, "may_write": not access.scopes.isdisjoint(SCRAPING_WRITE)}
    return page(request, "debugfiles/scraping.html", values, status=400 if form.errors else 200)


def _usage(project: Project) -> dict[str, Any]:
    policy = policy_of(project)
    used = used_bytes(project)
    return {
        "policy": policy,
        "used": used,
        "percent": round(100 * used / policy.quota_bytes, 1) if policy.quota_bytes else None,
        "next_expiry": next_expiry(project, policy),
    }
