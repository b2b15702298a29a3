"""Uploading from a page: a form that works by itself, and a script that adds a progress bar to each file."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from core.api import ApiError
from core.blobs import BlobError
from core.pages import error_page, is_fragment, page, posting_address, streamed
from core.wire.errors import BodyError
from debugfiles.pages.asked import Asked
from debugfiles.pages.receiving import Sent, sent
from debugfiles.pages.results import FileResult, take
from debugfiles.pages.words import commands
from debugfiles.receiving import AROUND_BYTES, max_upload_bytes
from debugfiles.upload_views import SCOPES
from engine.modules import DebugId
from projects.access import ProjectAccess
from projects.pages import project_page

_CRASH: Final = re.compile(r"[0-9]{1,18}")


@streamed
@require_http_methods(["GET", "HEAD", "POST"])
@project_page(*SCOPES["POST"])
def upload(request: HttpRequest, access: ProjectAccess) -> HttpResponseBase:
    """The form, and what becomes of the files that it sends."""
    asked = Asked.parse(request.GET.get("for", ""))
    if request.method != "POST":
        return page(request, "debugfiles/upload.html", _form(request, access, asked))
    try:
        with sent(request) as came:
            results = _take_all(access, came, asked)
    except (ApiError, BlobError, BodyError) as error:
        return _refused(request, access, asked, error)
    if is_fragment(request):
        return page(request, "debugfiles/results.html", {"results": results, **_about(request, access, asked)})
    return page(request, "debugfiles/uploaded.html", {"results": results, **_form(request, access, asked)})


# The form is read by the view, as uploads of the API are.
upload.body_limit = int(settings.ENVIRONMENT["MAX_UPLOAD_BYTES"]) + AROUND_BYTES  # type: ignore[attr-defined]


def _take_all(access: ProjectAccess, came: Sent, asked: Asked | None) -> list[FileResult]:
    debug_id = _given_id(came.fields.get("debug_id", "").strip())
    if debug_id is not None and len(came.files) > 1:
        raise ApiError("An id can be given to a single file only.", field="debug_id")
    return [take(access, file, asked, debug_id) for file in came.files]


def _given_id(text: str) -> DebugId | None:
    found = DebugId.parse(text) if text else None
    if text and found is None:
        raise ApiError("The id must be a UUID, with an age at its end if need be.", field="debug_id")
    return found


def _refused(
    request: HttpRequest, access: ProjectAccess, asked: Asked | None, error: ApiError | BlobError | BodyError
) -> HttpResponse:
    status = int(getattr(error, "status", 400))
    if is_fragment(request):
        return error_page(request, status, error.message)
    values = {"problem": error.message, "problem_field": getattr(error, "field", None)}
    return page(request, "debugfiles/upload.html", values | _form(request, access, asked), status=status)


def _form(request: HttpRequest, access: ProjectAccess, asked: Asked | None) -> dict[str, Any]:
    about = _about(request, access, asked)
    query = {"for": asked.text if asked else "", "crash": about["crash"] or ""}
    more = urlencode({name: value for name, value in query.items() if value})
    action = posting_address(request, _here(access))
    return {
        **about,
        "action": f"{action}&{more}" if more else action,
        "commands": commands(request, access),
        "most_bytes": max_upload_bytes(),
        "is_here": asked is not None and asked.is_stored(access.project),
    }


def _about(request: HttpRequest, access: ProjectAccess, asked: Asked | None) -> dict[str, Any]:
    return {"asked": asked, "crash": _crash(request, access)}


def _crash(request: HttpRequest, access: ProjectAccess) -> int | None:
    """The crash that somebody came from, by the query or by the page that the link stood on."""
    named = request.GET.get("crash", "")
    if not named:
        try:
            path = urlsplit(request.headers.get("Referer", "")).path
        except ValueError:
            return None
        before, crashes, rest = path.partition(f"/{access.project.slug}/crashes/")
        ours = crashes and before == f"/organizations/{access.organization.slug}"
        named = rest.partition("/")[0] if ours else ""
    return int(named) if _CRASH.fullmatch(named) else None


def _here(access: ProjectAccess) -> str:
    return reverse("files:upload", args=[access.organization.slug, access.project.slug])
