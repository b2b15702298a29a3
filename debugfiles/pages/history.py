"""What was uploaded when, by whom, and what became of it."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from rest_framework.exceptions import NotFound

from core.pages import page
from debugfiles.pages.listing import listed, text_of
from debugfiles.records.api import UploadOutcomes
from debugfiles.records.models import UploadRecord
from debugfiles.upload_views import SCOPES
from projects.access import ProjectAccess
from projects.pages import project_page


@require_safe
@project_page(*SCOPES["GET"])
def uploads(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """All uploads, newest first."""
    rows = UploadRecord.objects.filter(project=access.project).defer("outcomes").select_related("user")
    tag = text_of(request, "tag")
    if tag:
        rows = rows.filter(tag=tag)
    found = listed(request, rows)
    return page(request, "debugfiles/uploads.html", {"uploads": found.rows, "page": found, "tag": tag})


@require_safe
@project_page(*SCOPES["GET"])
def one_upload(request: HttpRequest, access: ProjectAccess, upload_id: int) -> HttpResponse:
    """One upload, file by file."""
    row = UploadRecord.objects.filter(project=access.project, pk=upload_id).select_related("user").first()
    if row is None:
        raise NotFound
    values = {"upload": row, "outcomes": msgspec.convert(row.outcomes, UploadOutcomes)}
    return page(request, "debugfiles/one_upload.html", values)
