"""Native stacks, asked for by a token: what the framework does around a view is saved where all is as usual.

The same checks are made and the same work is done. Whatever is refused, and whatever fails, is answered by the ordinary
view, so that there is one judge of that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import AuthenticationFailed

from debugfiles.composing import Asker
from projects.access import project_by_token
from projects.authentication import read_bearer
from projects.selectors import OpenedToken, open_token, touch
from symbolication.callers import Caller, ProjectCaller, RootCaller
from symbolication.views.base import SCOPE, View
from symbolication.views.json_requests import answer_json
from symbolication.views.native import ProjectSymbolicateView, SymbolicateView, prepared

_Open = Callable[[OpenedToken], Caller | None]
# As the framework says it of a view that has this method alone.
_ALLOWED: Final = "POST, OPTIONS"


def symbolicate(request: HttpRequest) -> HttpResponse:
    """`POST /symbolicate`, as `SymbolicateView` answers it."""
    return _answered(SymbolicateView, request, {}, _by_organization)


def project_symbolicate(request: HttpRequest, organization_id_or_slug: str, project_id_or_slug: str) -> HttpResponse:
    """`POST /api/0/projects/…/symbolicate/`, as `ProjectSymbolicateView` answers it."""
    names = {"organization_id_or_slug": organization_id_or_slug, "project_id_or_slug": project_id_or_slug}
    return _answered(
        ProjectSymbolicateView,
        request,
        names,
        partial(_by_project, organization=organization_id_or_slug, project=project_id_or_slug),
    )


# What the metrics call them.
symbolicate.cls = SymbolicateView  # type: ignore[attr-defined]
project_symbolicate.cls = ProjectSymbolicateView  # type: ignore[attr-defined]


def _answered(view: type[View], request: HttpRequest, names: dict[str, str], open_: _Open) -> HttpResponse:
    try:
        opened = _opened(request, names.get("project_id_or_slug"))
        caller = None if opened is None else open_(opened)
        if opened is None or caller is None:
            return _ordinary(view.as_view(), request, names)
        touch(opened.token)
        response = answer_json(request, caller, partial(prepared, caller))
    except Exception as error:  # noqa: BLE001 - the ordinary view says what comes of it
        return _ordinary(view.as_view(failure=error), request, names)
    response.headers["Allow"] = _ALLOWED
    return response


def _opened(request: HttpRequest, project: str | None) -> OpenedToken | None:
    """The token of a request; None for any that opens nothing."""
    try:
        text = read_bearer(str(request.META.get("HTTP_AUTHORIZATION", "")).encode("iso-8859-1"))
    except (AuthenticationFailed, UnicodeError):
        return None
    opened = None if text is None else open_token(text, project)
    return opened if isinstance(opened, OpenedToken) else None


def _by_organization(opened: OpenedToken) -> Caller | None:
    return None if opened.token.scopes.isdisjoint(SCOPE) else RootCaller(Asker.of(opened.organization))


def _by_project(opened: OpenedToken, organization: str, project: str) -> Caller | None:
    access = project_by_token(opened, organization, project, any_of=SCOPE)
    return None if access is None else ProjectCaller(access)


def _ordinary(view: Callable[..., Any], request: HttpRequest, names: dict[str, str]) -> HttpResponse:
    response: Any = view(request, **names)
    if not getattr(response, "is_rendered", True):
        response.render()
    ready: HttpResponse = response
    return ready
