"""The one door for crash clients and for the tools that upload symbols beside them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from core.api import UNAVAILABLE_TEXT
from core.database import AWAY, RETRY_SECONDS
from crashes.addresses import read_address
from crashes.admission import admit
from crashes.answers import UNAVAILABLE, Refusal, only_post, preflight, refusal_of, refused, wrong_address
from crashes.formats import FORMATS
from engine.errors import SymbolsvcError
from projects.slugs import RESERVED_ORGANIZATIONS

log = logging.getLogger(__name__)

BODY_LIMIT: Final = int(settings.ENVIRONMENT["MAX_UPLOAD_BYTES"]) + (1 << 20)

View = Callable[..., HttpResponse]


def answering(view: View) -> View:
    """A view whose refusals, and those of the rooms below, become answers that clients of Backtrace understand."""

    @csrf_exempt
    @wraps(view)
    def answered(request: HttpRequest, **arguments: Any) -> HttpResponse:
        try:
            return view(request, **arguments)
        except SymbolsvcError as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
        except AWAY as error:
            log.error("the database failed a submission: %s", error)
            refusal = Refusal(503, UNAVAILABLE, UNAVAILABLE_TEXT, RETRY_SECONDS)
        return refused(refusal)

    answered.body_limit = BODY_LIMIT  # type: ignore[attr-defined]
    return answered


@answering
def submit(request: HttpRequest, subdomain: str = "", token: str = "", last: str = "") -> HttpResponse:
    """Take a submission.

    The token is judged first, then the subdomain, then the format; none of it touches the body.
    """
    if subdomain in RESERVED_ORGANIZATIONS:
        # Addresses of other rooms that lead nowhere there.
        raise Http404
    if request.method == "OPTIONS":
        return preflight()
    if request.method != "POST":
        return only_post()
    address = read_address(request, FORMATS, subdomain, token, last)
    format_ = FORMATS.get(address.format)
    sender = admit(address, format_.scope if format_ is not None else None)
    if format_ is None:
        raise wrong_address("missing format" if not address.format else "unknown format")
    return format_.handler(request, address, sender)
