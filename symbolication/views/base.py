"""What the endpoints share: who may ask, and how refusals look."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.conf import settings
from django.http import QueryDict
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from core.api import ApiView, ErrorStyle
from core.wire import BodyError
from debugfiles.composing import Asker
from projects.access import open_own_organization, open_project
from projects.models import Organization
from projects.selectors import OpenedToken
from symbolication.callers import ProjectCaller, RootCaller
from symbolication.rejections import Rejected

SCOPE: Final = frozenset({"symbolicate:post"})
BODY_LIMIT: Final[int] = settings.ENVIRONMENT["SYMBOLICATE_BODY_MAX_BYTES"]


class UnreadParser(BaseParser):
    """Leaves the body where it is. The check for forged requests asks for form fields: there are none."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> QueryDict:
        """An empty form."""
        return QueryDict()


class View(ApiView):
    """Handlers answer with ready bytes; only who may not ask is left to the framework."""

    error_style: ClassVar[ErrorStyle] = "sentry"
    parser_classes = (UnreadParser,)  # type: ignore[assignment]
    body_limit = BODY_LIMIT
    permission_classes = (AllowAny,)  # `caller` decides
    # What the request came to already; the view answers for it.
    failure: Exception | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises the `failure`, if there is one."""
        if self.failure is not None:
            raise self.failure
        super().initial(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Any:
        """Refusals of this API have their own forms; the rest goes the framework's way."""
        if isinstance(exc, BodyError):
            exc = self.body_refusal(exc)
        if isinstance(exc, Rejected):
            return exc.answer()
        return super().handle_exception(exc)

    def body_refusal(self, error: BodyError) -> Rejected:
        """The answer to a body that could not be read."""
        return Rejected(error.status, error.message)


class RootView(View):
    """The endpoints that Symbolicator has: for the organization of the token, or for anybody on a trusted network."""

    def organization(self, request: Request) -> Organization | None:
        """Who asks; None for a request without a token where that is allowed. Raises what `open_…` raises."""
        if settings.ENVIRONMENT["SYMBOLICATOR_ANONYMOUS"] and not isinstance(request.auth, OpenedToken):
            return None
        return open_own_organization(request, any_of=SCOPE).organization

    def caller(self, request: Request) -> RootCaller:
        """Who asks. Raises what `organization` raises."""
        return RootCaller(Asker.of(self.organization(request)))


class ProjectView(View):
    """The endpoints of a project."""

    def caller(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> ProjectCaller:
        """Who asks. Raises what `open_project` raises."""
        return ProjectCaller(open_project(request, organization_id_or_slug, project_id_or_slug, any_of=SCOPE))
