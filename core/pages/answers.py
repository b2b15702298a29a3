"""Answers that people read.

A page is answered whole, or, where a script asks for a part of it (`HX-Request`), as that part. Without scripts every
form works by a POST and a redirect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url

# Nothing inline and nothing from elsewhere: what a client sent cannot run or load anything, wherever it slips through.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_TITLES: Final = {
    400: "That did not work",
    403: "You may not see this",
    404: "There is nothing here",
    409: "Somebody was faster",
    413: "That is too large",
    503: "The service is busy",
}


def page(
    request: HttpRequest, template: str, values: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A page or a part of one, made from a template, with the policy that lets nothing foreign in."""
    response = render(request, template, dict(values or {}), status=status)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    return response


def error_page(request: HttpRequest, status: int, text: str) -> HttpResponse:
    """What is wrong and what to do; of a part of a page only a message in its place."""
    template = "pages/problem.html" if is_fragment(request) else "pages/error.html"
    return page(request, template, {"title": _TITLES.get(status, "Something is wrong"), "text": text}, status=status)


def redirect_to(request: HttpRequest, address: str, *arguments: Any, **named: Any) -> HttpResponse:
    """Go to an address or a named view: by 303, so that what follows is a GET; by header where a script asked."""
    target = resolve_url(address, *arguments, **named)
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return HttpResponse(status=303, headers={"Location": target})


def is_fragment(request: HttpRequest) -> bool:
    """Whether a script asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"
