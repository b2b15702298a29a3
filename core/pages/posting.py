"""Forms whose bodies are streamed.

The usual check against forged posts looks for its token in the parsed form, and would have Django read a whole upload
for that. These forms carry a token in their address instead: signed, for one address, one session and some hours.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from django.views.decorators.csrf import csrf_exempt

from core.pages.answers import error_page

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

PARAMETER: Final = "ticket"
# As long as a page may stay open before its form is sent.
_SECONDS: Final = 12 * 3600
_SALT: Final = "core.pages.posting"
_STALE: Final = (
    "The form was open for too long, or you have signed in anew since. Go back, load the page again, and send it again."
)


def posting_address(request: HttpRequest, address: str) -> str:
    """`address` (a path without a query) as the action of a form that posts to a `streamed` view."""
    return f"{address}?{PARAMETER}={signing.dumps(_bound_to(request, address), salt=_SALT)}"


def streamed(view: View) -> View:
    """Have a view check the token in the address of a POST, and leave the body to it.

    A POST without it, or with one of another session or address, is answered 403 and its body is not looked at. Other
    methods go through.
    """

    @wraps(view)
    def checked(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        if request.method == "POST" and not _is_ours(request):
            return error_page(request, 403, _STALE)
        return view(request, *arguments, **named)

    return csrf_exempt(checked)  # type: ignore[return-value]


def _is_ours(request: HttpRequest) -> bool:
    try:
        said = signing.loads(request.GET.get(PARAMETER, ""), salt=_SALT, max_age=_SECONDS)
    except signing.BadSignature:
        return False
    return isinstance(said, str) and hmac.compare_digest(said, _bound_to(request, request.path))


def _bound_to(request: HttpRequest, address: str) -> str:
    """What ties a token to a session and an address, without telling either."""
    session = request.session.session_key or ""
    return salted_hmac(_SALT, f"{session}\n{address}", algorithm="sha256").hexdigest()[:32]
