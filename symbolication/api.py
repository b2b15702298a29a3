"""The endpoints of symbolication: Symbolicator's at the root, and one per project with its stored sources.

The order is: who asks (401, 403, 404), the query string and the content type (400, 415), a place among the requests in
flight (503), the body (408, 413, 400, 422). A request that will be refused costs no memory for its body, and bodies on
their way in are as few as there are places; what is left of an unread body is read away within bounds.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final
from uuid import UUID

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from core.api import ApiView, ErrorStyle, not_found
from core.database import release
from core.wire import BodyError
from core.wire.body import read_body
from engine.outgoing import Deadline, Trust
from engine.run import Annotate, BadJson, BadSchema, SymbolicateRequest, decode_request
from engine.sourcetypes.base import Source
from engine.sourcetypes.config import BadSource
from projects.access import open_own_organization, open_project
from projects.models import Organization
from projects.selectors import OpenedToken
from symbolication import openapi, runtime
from symbolication.composing import Asker, project_sources, request_sources
from symbolication.jobs import Ticket, Work, compute
from symbolication.polls import answer_of, await_answer
from symbolication.query import Query, read_query
from symbolication.rejections import JSON, TEXT, TOO_MANY, Refused, Rejected
from symbolication.sweeping import sweep_now_and_then

SCOPE: Final = frozenset({"symbolicate:post"})
RETRY_AFTER_SECONDS: Final = 30
# Whom to ask for files, and who explains what came of it.
Asking = tuple[tuple[Source, ...], Annotate | None]
BODY_LIMIT: Final[int] = settings.ENVIRONMENT["SYMBOLICATE_BODY_MAX_BYTES"]


class RawParser(BaseParser):
    """Leaves the body as it is for the handler. The check for forged requests asks for form fields: there are none."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> QueryDict:
        """Keep the body on the request and give an empty form. Raises BodyError."""
        if isinstance(stream, HttpRequest):
            read_body(stream, limit=BODY_LIMIT)
        return QueryDict()


class View(ApiView):
    """What the endpoints share. Handlers answer with ready bytes; only who may not ask is left to the framework."""

    error_style: ClassVar[ErrorStyle] = "sentry"
    parser_classes = (RawParser,)  # type: ignore[assignment]
    body_limit = BODY_LIMIT
    permission_classes = (AllowAny,)  # `open_…` decides

    def handle_exception(self, exc: Exception) -> Any:
        """Refusals of this API have their own forms; the rest goes the framework's way."""
        if isinstance(exc, Rejected):
            return exc.answer()
        if isinstance(exc, BodyError):
            return Rejected(exc.status, exc.message).answer()
        return super().handle_exception(exc)


class RootView(View):
    """The endpoints that Symbolicator has: for the organization of the token, or for anybody on a trusted network."""

    def organization(self, request: Request) -> Organization | None:
        """Who asks; None for a request without a token where that is allowed. Raises what `open_…` raises."""
        if settings.ENVIRONMENT["SYMBOLICATOR_ANONYMOUS"] and not isinstance(request.auth, OpenedToken):
            return None
        return open_own_organization(request, any_of=SCOPE).organization


class SymbolicateView(RootView):
    """`POST /symbolicate`."""

    @openapi.symbolicate
    def post(self, request: Request) -> HttpResponse:
        """Symbolicate with the sources of the request, or the configured ones when it names none."""
        asker = Asker.of(self.organization(request))

        def sources(decoded: SymbolicateRequest) -> Asking:
            return request_sources(decoded.sources, asker), None

        return _symbolicate(request, asker, sources)


class ProjectSymbolicateView(View):
    """`POST /api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbolicate/`."""

    @openapi.project_symbolicate
    def post(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> HttpResponse:
        """Symbolicate with the project's stored sources."""
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=SCOPE)

        def sources(decoded: SymbolicateRequest) -> Asking:
            if decoded.sources is not None:
                raise Refused(400, "sources: the project's stored sources are used; leave this field out")
            opened = project_sources(access)
            return opened.sources, opened.diagnoser.json

        return _symbolicate(request, Asker.of(access.organization), sources)


class RequestView(RootView):
    """`GET /requests/{id}`."""

    @openapi.request_status
    def get(self, request: Request, request_id: str) -> HttpResponse:
        """What became of a request that was answered as pending."""
        organization = self.organization(request)
        return _status(request, request_id, organization)


class ProjectRequestView(View):
    """`GET /api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/requests/{id}/`."""

    @openapi.project_request_status
    def get(
        self, request: Request, organization_id_or_slug: str, project_id_or_slug: str, request_id: str
    ) -> HttpResponse:
        """What became of a request that was answered as pending."""
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=SCOPE)
        found = _status(request, request_id, access.organization)
        if found.status_code == 404:
            raise not_found()
        return found


def healthcheck(_request: Any) -> HttpResponse:
    """`GET /healthcheck`: the process answers. For everybody, as in Symbolicator."""
    return HttpResponse("ok", content_type=TEXT)


def _symbolicate(request: Request, asker: Asker, sources: Any) -> HttpResponse:
    query = read_query(request.META.get("QUERY_STRING", ""))
    _check_content_type(request.META.get("CONTENT_TYPE", ""))
    ticket = runtime.take_ticket()
    if ticket is None:
        raise Refused(503, TOO_MANY)
    try:
        decoded = _decode(read_body(request, limit=BODY_LIMIT))
        work = _work(decoded, *_opened(sources, decoded), query.scope, asker.trust)
    except BaseException:
        ticket.close()
        raise
    release()
    if query.timeout is None:
        return _json(compute(ticket, work))
    return _json(_within(ticket, asker, work, query.timeout))


def _check_content_type(header: str) -> None:
    kind = header.partition(";")[0].strip().lower()
    if kind != JSON and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Rejected(415, "The content type of the request must be application/json")


def _decode(body: bytes) -> SymbolicateRequest:
    try:
        return decode_request(body)
    except BadJson as error:
        raise Rejected(400, error.message) from None
    except BadSchema as error:
        raise Rejected(422, error.message) from None


def _opened(sources: Any, decoded: SymbolicateRequest) -> Asking:
    try:
        return sources(decoded)  # type: ignore[no-any-return]
    except BadSource as error:
        raise Rejected(422, error.message) from None


def _work(
    decoded: SymbolicateRequest, sources: tuple[Source, ...], annotate: Annotate | None, scope: str, trust: Trust
) -> Work:
    engine = runtime.engine()

    def work(deadline: Deadline) -> bytes:
        return engine.symbolicate(decoded, sources, scope=scope, deadline=deadline, trust=trust, annotate=annotate)

    return work


def _within(ticket: Ticket, asker: Asker, work: Work, seconds: int) -> bytes:
    """The answer if it comes within so many seconds, else the pending one."""
    job = runtime.jobs().start(ticket, asker.organization_id, work)
    # The computation has an end of its own; a greater number would overflow the clock.
    answer = job.wait(min(seconds, ticket.deadline.remaining() + 60))
    if answer is None:
        answer = job.publish()
        sweep_now_and_then()
    return _pending(job.id) if answer is None else answer


def _status(request: Request, request_id: str, organization: Organization | None) -> HttpResponse:
    query: Query = read_query(request.META.get("QUERY_STRING", ""))
    try:
        wanted = UUID(request_id)
    except ValueError:
        return _unknown()
    seen = await_answer(wanted, None if organization is None else organization.id, query.timeout)
    answer = answer_of(seen)
    if answer is not None:
        return _json(answer)
    return _json(_pending(wanted)) if seen.state == "running" else _unknown()


def _unknown() -> HttpResponse:
    """404 with nothing in it, as Symbolicator answers; so there is no type of content either."""
    answer = HttpResponse(status=404)
    del answer["Content-Type"]
    return answer


def _pending(request_id: UUID) -> bytes:
    return orjson.dumps({"status": "pending", "request_id": str(request_id), "retry_after": RETRY_AFTER_SECONDS})


def _json(body: bytes) -> HttpResponse:
    return HttpResponse(body, content_type=JSON)
