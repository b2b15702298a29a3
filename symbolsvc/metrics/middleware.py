"""Counts every request, for some microseconds each."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.metrics import declared

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_NONE: Final = "none"
# Views that take crash reports, by their modules.
_DOORS: Final = ("crashes.router", "crashes.sentry.dump_form", "crashes.sentry.envelopes", "crashes.sentry.store_view")
_REFUSALS: Final = {400: "malformed", 401: "token", 403: "token", 413: "too_large", 429: "rate", 503: "busy"}


class MetricsMiddleware:
    """Stands before all others, so that what they refuse counts too."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        module, name = (_NONE, _NONE) if match is None else _view_of(match.func)
        _requests(name, response.status_code).inc()
        _seconds(module.partition(".")[0]).observe(time.perf_counter() - began)
        if request.method == "POST" and module in _DOORS:
            _submissions(_outcome(response.status_code)).inc()
        return response


def _outcome(status: int) -> str:
    return "accepted" if status < 300 else _REFUSALS.get(status, "other")


@lru_cache(maxsize=1024)
def _view_of(view: Callable[..., Any]) -> tuple[str, str]:
    """Its module, and its name with that."""
    while isinstance(view, partial):
        view = view.func
    made = getattr(view, "cls", None) or getattr(view, "view_class", None) or view
    module, name = getattr(made, "__module__", _NONE), getattr(made, "__qualname__", type(made).__name__)
    return module, f"{module}.{name}"


@lru_cache(maxsize=4096)
def _requests(view: str, status: int) -> Any:
    return declared.requests.labels(view, str(status))


@lru_cache(maxsize=64)
def _seconds(room: str) -> Any:
    return declared.request_seconds.labels(room)


@lru_cache(maxsize=16)
def _submissions(outcome: str) -> Any:
    return declared.submissions.labels(outcome)
