"""What releases of a project and of an organization are answered with alike."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import answer
from core.openapi import BODY_STATUSES, refusals
from core.text import storable
from debugfiles.bodies import Releases, ReleaseView, release_view
from debugfiles.models import Release
from debugfiles.upload_views import query
from projects.openapi import PAGING
from projects.paging import paginate

_EXISTED: Final = 208

RELEASE_PAGING: Final = (*PAGING, query("query", "A part of the version."))
RELEASE_PAGE: Final[dict[Any, Any]] = {200: Releases, **refusals(400, 403, 404, style="sentry")}
RELEASE_CREATED: Final[dict[Any, Any]] = {
    201: ReleaseView,
    _EXISTED: OpenApiResponse(ReleaseView, "It was there already."),
    **refusals(403, 404, *BODY_STATUSES, style="sentry"),
}


def release_page(request: Request, rows: QuerySet[Release]) -> Response:
    """A page of these releases, newest first; `query` keeps those whose version holds it."""
    text = storable(request.query_params.get("query", ""))
    if text:
        rows = rows.filter(version__icontains=text)
    page = paginate(request, rows.prefetch_related("projects"), newest_first=True)
    return answer([release_view(row) for row in page.rows], Link=page.link)


def created_release(row: Release, created: bool) -> Response:
    """The release that was asked for, made just now or there already."""
    return answer(release_view(row), 201 if created else _EXISTED)
