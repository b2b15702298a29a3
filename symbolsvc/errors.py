"""Answers where no view answers: addresses that lead nowhere, and errors of ours."""

from __future__ import annotations

from typing import Any, Final

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt

from core.pages import error_page, is_fragment
from core.pages.answers import POLICY

_API_PREFIX: Final = "/api/"
_STALE_FORM: Final = (
    "The form was open for too long, or you have signed in anew since. Go back, load the page again, and send it again."
    " Cookies of this host have to be allowed."
)
_TRY_AGAIN: Final = "Try again; if it stays, tell whoever runs this service."


@csrf_exempt
def missing_slash(request: HttpRequest, **_kwargs: Any) -> HttpResponse:
    """404 for an API address without its slash. Redirecting would turn a POST into a GET."""
    text = f"This address does not exist. Did you forget the trailing slash? try: {request.path}/"
    if request.content_type == "application/json":
        return JsonResponse({"info": text}, status=404)
    return HttpResponse(text, status=404, content_type="text/plain; charset=utf-8")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's name
    """404: a page for a browser, JSON for the API, else text."""
    if _reads_pages(request):
        return error_page(request, 404, "The page does not exist, or is not yours to see.")
    return _plain(request, 404, "Not found.", "not_found")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's name
    """403, likewise."""
    if _reads_pages(request):
        return error_page(request, 403, "You may not do this.")
    return _plain(request, 403, "Forbidden.", "forbidden")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's name
    """400, likewise; nothing of the request is used for it, since anything of it may be what was wrong."""
    if _reads_pages(request):
        return _bare_page(400, "That did not work", "The service does not understand the request.")
    return _plain(request, 400, "Bad request.", "bad_request")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's name
    """403 for a form that was not sent from a page of ours, or too late."""
    if _reads_pages(request):
        return error_page(request, 403, _STALE_FORM)
    return _plain(request, 403, "The CSRF token is missing or wrong.", "csrf")


def server_error(request: HttpRequest) -> HttpResponse:
    """500, likewise; what happened is in the log. The page asks nothing of the database."""
    if _reads_pages(request):
        return _bare_page(500, "Something broke", f"The fault is ours, and is in the log.{_numbered()} {_TRY_AGAIN}")
    return _plain(request, 500, "Internal error.", "internal_error")


def _reads_pages(request: HttpRequest) -> bool:
    """Whether a person looks: a browser says that it takes HTML, before anything else."""
    accepted = request.headers.get("Accept", "")
    return not request.path.startswith(_API_PREFIX) and ("text/html" in accepted or is_fragment(request))


def _bare_page(status: int, title: str, text: str) -> HttpResponse:
    """A page without whoever is signed in, so that nothing else can fail."""
    body = render_to_string("pages/error.html", {"title": title, "text": text})
    return HttpResponse(body, status=status, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})


def _numbered() -> str:
    known = structlog.contextvars.get_contextvars().get("request_id")
    return f" Its number there is {known}." if known else ""


def _plain(request: HttpRequest, status: int, text: str, code: str) -> HttpResponse:
    if request.path.startswith(_API_PREFIX):
        return JsonResponse({"detail": text, "code": code, "field": None}, status=status)
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
