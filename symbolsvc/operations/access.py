"""Who may look: the staff of the installation, whatever organizations they are members of."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from core.pages import error_page
from projects.pages.opening import to_sign_in

_NOT_THERE: Final = "The page does not exist, or is not yours to see."


def staff_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """For staff alone; to others who are signed in the page looks as if it did not exist."""

    @wraps(view)
    def opened(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return to_sign_in(request)
        if not (request.user.is_active and request.user.is_staff):
            return error_page(request, 404, _NOT_THERE)
        return view(request, *arguments, **named)

    return opened
