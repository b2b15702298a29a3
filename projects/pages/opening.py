"""Who may open a page: whoever is signed in and is a member with one of the scopes.

The rules are those of the API (`projects.access`); what fails is said in a page: signed out leads to the sign-in page
and back, what one may not see looks as if it did not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from rest_framework.exceptions import NotAuthenticated, NotFound
from rest_framework.request import Request

from core.api import ApiError, MissingScope
from core.pages import error_page, is_fragment
from projects.access import OrganizationAccess, ProjectAccess, open_organization, open_project
from projects.pages.tabs import tabs_for

ProjectView = Callable[..., HttpResponseBase]
OrganizationView = Callable[..., HttpResponseBase]
_NOT_THERE: Final = "The page does not exist, or is not yours to see."


def project_page(*any_of: str) -> Callable[[ProjectView], Callable[..., HttpResponseBase]]:
    """Make `view(request, access: ProjectAccess, **rest)` the view of an address with `organization` and `project`.

    For members with one of the scopes `any_of`. An ApiError that the view raises becomes a page of its status.
    """

    def decorate(view: ProjectView) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def opened(request: HttpRequest, organization: str, project: str, **rest: Any) -> HttpResponseBase:
            def answer() -> HttpResponseBase:
                access = open_project(_as_member(request), organization, project, any_of=any_of)
                return view(_framed(request, access), access, **rest)

            return _answered(request, answer)

        return opened

    return decorate


def organization_page(*any_of: str) -> Callable[[OrganizationView], Callable[..., HttpResponseBase]]:
    """Make `view(request, access: OrganizationAccess, **rest)` the view of an address with `organization`."""

    def decorate(view: OrganizationView) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def opened(request: HttpRequest, organization: str, **rest: Any) -> HttpResponseBase:
            def answer() -> HttpResponseBase:
                access = open_organization(_as_member(request), organization, any_of=any_of)
                return view(_framed(request, access), access, **rest)

            return _answered(request, answer)

        return opened

    return decorate


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page, and from there back to this one."""
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": resolve_url(settings.LOGIN_URL)})
    return redirect_to_login(request.get_full_path())


def _answered(request: HttpRequest, answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    try:
        return answer()
    except NotAuthenticated:
        return to_sign_in(request)
    except NotFound:
        return error_page(request, 404, _NOT_THERE)
    except MissingScope as error:
        return error_page(request, 403, f"Your role in this organization does not allow it. {error.hint}")
    except ApiError as error:
        return error_page(request, error.status, error.message)


def _as_member(request: HttpRequest) -> Request:
    """The request as the API's rules look at it: by session, never by a token."""
    asked = Request(request, authenticators=())
    asked.user = request.user
    asked.auth = None
    return asked


def _framed(request: HttpRequest, access: OrganizationAccess | ProjectAccess) -> HttpRequest:
    """What the frame around the page shows; see `projects.pages.context`."""
    request.page_access = access  # type: ignore[attr-defined]
    request.page_tabs = tabs_for(request, access)  # type: ignore[attr-defined]
    return request
