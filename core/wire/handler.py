"""The WSGI application class, and the middleware that gives each view its limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from core.wire.body import WireRequest, view_limit
from core.wire.errors import BodyError, answer

# A client that is still sending does not read its answer, so what is left is read away first, at the pace of any body.
_DRAIN_BYTES: Final = 64 * 1024 * 1024
_FORCE_CLOSE: Final = "symbolsvc.force_close"


class BodyMiddleware:
    """Sets a view's body limit, and answers for bodies that could not be read. Stands before everything that reads."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any) -> None:
        limit = view_limit(view)
        if limit is not None and isinstance(request, WireRequest):
            request.limit_body(limit)

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse | None:
        return answer(error) if isinstance(error, BodyError) else None


class WireHandler(WSGIHandler):
    """Django's WSGI handler with readable, bounded bodies."""

    request_class = WireRequest

    def __call__(self, environ: dict[str, Any], start_response: Any) -> HttpResponseBase:
        remember_closing(environ, start_response)
        return super().__call__(environ, start_response)

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = super().get_response(request)
        if isinstance(request, WireRequest):
            finish(request)
        return response

    def _get_response(self, request: HttpRequest) -> HttpResponseBase:
        # Middleware may read the body too (for the CSRF token), where `process_exception` does not reach.
        try:
            response: HttpResponseBase = super()._get_response(request)  # type: ignore[misc]
        except BodyError as error:
            return answer(error)
        return response


def remember_closing(environ: dict[str, Any], start_response: Any) -> None:
    """Keep what closes the connection behind the answer, where the web server offers that."""
    environ[_FORCE_CLOSE] = getattr(getattr(start_response, "__self__", None), "force_close", None)


def finish(request: WireRequest) -> None:
    """Read what the view left of the body; where that cannot be done the connection is closed behind the answer."""
    if not _finished(request):
        force_close = request.environ[_FORCE_CLOSE]
        if force_close is not None:
            force_close()


def _finished(request: WireRequest) -> bool:
    """Read what the view left of the body; False when the connection cannot serve another request."""
    stream = request.body_stream
    if request.client_waits and not stream.ended:
        return False
    if not stream.ended:
        try:
            stream.drain(_DRAIN_BYTES)
        except BodyError:
            return False
    return stream.failure is None and stream.ended
