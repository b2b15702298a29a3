"""The way in for crashing clients, past the framework: addresses that need no session, no cookie and no page.

A submission is found by its address alone and goes to the same view as ever, with the same bounds on its body, counted
and logged as every other request. What is saved is what Django does around each request. Whatever is unusual in any way
goes through Django, so that there is one judge of hosts, encodings and odd addresses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any, Final, cast

from django.core.exceptions import DisallowedHost
from django.core.handlers.exception import response_for_exception
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.log import log_response

from core.database import release
from core.wire.body import BareRequest, view_limit
from core.wire.errors import BodyError, answer
from core.wire.handler import finish, remember_closing
from crashes.router import View
from crashes.urls import DOOR
from symbolication.urls import TOKEN_DOOR
from symbolsvc.metrics.middleware import MetricsMiddleware
from symbolsvc.middleware import RequestIdMiddleware, SecurityHeadersMiddleware

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

# As nearly every client writes it; the query of a request in another charset is read otherwise.
_PLAIN_TYPE: Final = re.compile(
    r"(?:[\w.+-]+/[\w.+-]+)?(?:\s*;\s*(?:charset=\"?utf-?8\"?|boundary=(?:[^\s;\"*%]+|\"[^\"\\*%]+\")))*\s*;?\s*",
    re.IGNORECASE | re.ASCII,
)
# Sessions and what goes with them are of no use to a request with a token.
_ALL_DOORS: Final = (*TOKEN_DOOR, *DOOR)


@dataclass(frozen=True, slots=True)
class Match:
    """Where an address leads."""

    func: View
    kwargs: Mapping[str, str]


class Door:
    """The application in front of Django's, which answers submissions itself."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._answer = MetricsMiddleware(RequestIdMiddleware(_answered))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        match = match_of(environ)
        if match is None:
            return self._application(environ, start_response)
        request = BareRequest(environ)
        try:
            request.get_host()
        except DisallowedHost:
            return self._application(environ, start_response)
        remember_closing(environ, start_response)
        request.resolver_match = match  # type: ignore[assignment]
        try:
            response = cast(HttpResponse, self._answer(request))
        finally:
            release()
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]


def match_of(environ: Mapping[str, Any]) -> Match | None:
    """Where a submission leads; None for every other request, and for what is better read by Django."""
    path: str = environ.get("PATH_INFO", "")
    if environ["REQUEST_METHOD"] != "POST" or not path.startswith("/") or not path.isascii():
        return None
    if environ.get("SCRIPT_NAME") or not _PLAIN_TYPE.fullmatch(environ.get("CONTENT_TYPE", "")):
        return None
    address = path[1:]
    doors = _ALL_DOORS if environ.get("HTTP_AUTHORIZATION", "")[:7].lower() == "bearer " else DOOR
    for pattern, view in doors:
        if found := pattern.fullmatch(address):
            return Match(view, {name: value for name, value in found.groupdict().items() if value is not None})
    return None


def _answered(request: Any) -> HttpResponse:
    """What Django's handler and the middlewares of the settings make of a submission."""
    response = _response(request)
    finish(request)
    if response.status_code >= 400:
        log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
    for name, value in _headers(request.is_secure()):
        response.headers.setdefault(name, value)
    response.headers["Content-Length"] = str(len(response.content))
    return response


def _response(request: BareRequest) -> HttpResponse:
    match = cast(Match, request.resolver_match)
    limit = view_limit(match.func)
    if limit is not None:
        request.limit_body(limit)
    try:
        return match.func(request, **match.kwargs)
    except BodyError as error:
        return answer(error)
    except Exception as error:  # noqa: BLE001 - as the framework does, which logs it
        return response_for_exception(request, error)


@lru_cache(maxsize=2)
def _headers(secure: bool) -> tuple[tuple[str, str], ...]:
    """What the middlewares of the settings add to an answer that has nothing of its own."""
    respond: Callable[[HttpRequest], Any] = lambda _: HttpResponse()  # noqa: E731
    for middleware in (XFrameOptionsMiddleware, SecurityMiddleware, SecurityHeadersMiddleware):
        respond = middleware(respond)
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "wsgi.input": BytesIO()}
    made = respond(WSGIRequest({**environ, "wsgi.url_scheme": "https" if secure else "http"}))
    return tuple((name, value) for name, value in made.items() if name != "Content-Type")
