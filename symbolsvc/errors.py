"""Answers where no view answers: addresses that lead nowhere, and errors of ours."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

_API_PREFIX = "/api/"


@csrf_exempt
def missing_slash(request: HttpRequest, **_kwargs: Any) -> HttpResponse:
    """404 for an API address without its slash. Redirecting would turn a POST into a GET."""
    text = f"This address does not exist. Did you forget the trailing slash? try: {request.path}/"
    if request.content_type == "application/json":
        return JsonResponse({"info": text}, status=404)
    return HttpResponse(text, status=404, content_type="text/plain; charset=utf-8")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's name
    """404, as JSON for the API."""
    return _plain(request, 404, "Not found.", "not_found")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's name
    """400, as JSON for the API."""
    return _plain(request, 400, "Bad request.", "bad_request")


def server_error(request: HttpRequest) -> HttpResponse:
    """500, as JSON for the API; what happened is in the log."""
    return _plain(request, 500, "Internal error.", "internal_error")


def _plain(request: HttpRequest, status: int, text: str, code: str) -> HttpResponse:
    if request.path.startswith(_API_PREFIX):
        return JsonResponse({"detail": text, "code": code, "field": None}, status=status)
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
