"""Answers as clients of Sentry know them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from core.api import UNAVAILABLE_TEXT
from core.database import AWAY, RETRY_SECONDS
from crashes.answers import Refusal, refusal_of
from engine.errors import SymbolsvcError

log = logging.getLogger(__name__)

View = Callable[..., HttpResponse]

_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "x-sentry-error, x-sentry-rate-limits, retry-after",
}
_PREFLIGHT: Final = {
    **_CORS,
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        "x-sentry-auth, x-requested-with, accept, content-type, content-encoding, authentication, authorization"
    ),
    "Access-Control-Max-Age": "86400",
}
_RETRY_SECONDS: Final = 60
_LONGEST_REASON: Final = 500


class BadReport(SymbolsvcError):
    """What was sent is refused: `status` is the answer's."""

    code = "bad_report"

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def missing_key() -> BadReport:
    """401: nothing in the request looks like an attempt to name a key."""
    return BadReport("missing authorization information", status=401)


def refused_key() -> BadReport:
    """403: for every key that does not open this very project, be it unknown, stopped or another's."""
    return BadReport("the key does not open this project", status=403)


def stored(event_id: UUID | None) -> HttpResponse:
    """200 with the id of the event; without one there was nothing to store."""
    return _json(200, {} if event_id is None else {"id": event_id.hex})


def stored_dump(event_id: UUID) -> HttpResponse:
    """200 with the id as text, which crash handlers show or write into their logs."""
    return HttpResponse(str(event_id), content_type="text/plain", headers=_CORS)


def preflight() -> HttpResponse:
    """What a browser asks before it sends."""
    return HttpResponse(status=204, headers=_PREFLIGHT)


def answering(view: View) -> View:
    """A view for POST whose refusals, and those of the rooms below, become what clients of Sentry understand."""

    @csrf_exempt
    @wraps(view)
    def answered(request: HttpRequest, **arguments: Any) -> HttpResponse:
        if request.method == "OPTIONS":
            return preflight()
        if request.method != "POST":
            return _refused(405, f'Method "{request.method}" not allowed.', {"Allow": "POST, OPTIONS"})
        try:
            return view(request, **arguments)
        except BadReport as error:
            return _refused(error.status, error.message)
        except SymbolsvcError as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
            return _of_refusal(refusal)
        except AWAY as error:
            log.error("the database failed a report: %s", error)
            return _refused(503, UNAVAILABLE_TEXT, {"Retry-After": str(RETRY_SECONDS)})

    return answered


def _of_refusal(refusal: Refusal) -> HttpResponse:
    if refusal.status == 429:
        return _too_many(refusal)
    return _refused(refusal.status, refusal.message)


def _too_many(refusal: Refusal) -> HttpResponse:
    """Clients read which categories they may send again when: an empty list stands for all of them."""
    seconds = max(int(getattr(refusal, "retry_after", None) or _RETRY_SECONDS), 1)
    headers = {"Retry-After": str(seconds), "X-Sentry-Rate-Limits": f"{seconds}::project"}
    return _refused(429, refusal.message, headers)


def _refused(status: int, reason: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    # The header is what clients show in their debug log, and must be one line.
    line = " ".join(reason.split())[:_LONGEST_REASON].encode("ascii", "replace").decode()
    return _json(status, {"detail": reason}, {"X-Sentry-Error": line, **(headers or {})})


def _json(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        orjson.dumps(body), content_type="application/json", status=status, headers=_CORS | dict(headers or {})
    )
