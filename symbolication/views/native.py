"""Native stacks: `/symbolicate`."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from engine.outgoing import Deadline
from engine.run import BadJson, BadSchema, SymbolicateRequest, decode_request
from engine.sourcetypes.config import BadSource
from symbolication import runtime
from symbolication.callers import Asking, Caller
from symbolication.description import native as described
from symbolication.jobs import Work
from symbolication.rejections import Rejected
from symbolication.views.base import ProjectView, RootView, check_json, read_json
from symbolication.views.flight import answered, query_of


class SymbolicateView(RootView):
    """`POST /symbolicate`."""

    @described.symbolicate
    def post(self, request: Request) -> HttpResponse:
        """Symbolicate with the sources of the request, or the configured ones when it names none."""
        return _symbolicate(request, self.caller(request))


class ProjectSymbolicateView(ProjectView):
    """`POST /api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbolicate/`."""

    @described.project_symbolicate
    def post(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> HttpResponse:
        """Symbolicate with the project's stored sources."""
        return _symbolicate(request, self.caller(request, organization_id_or_slug, project_id_or_slug))


def _symbolicate(request: Request, caller: Caller) -> HttpResponse:
    query = query_of(request)
    check_json(request)

    def prepare() -> Work:
        try:
            decoded = decode_request(read_json(request))
            return _work(decoded, caller, caller.asking(decoded.sources), query.scope)
        except BadJson as error:
            raise Rejected(400, error.message) from None
        except (BadSchema, BadSource) as error:
            raise Rejected(422, error.message) from None

    return answered(query, caller.asker, prepare)


def _work(decoded: SymbolicateRequest, caller: Caller, asking: Asking, scope: str) -> Work:
    engine, trust = runtime.engine(), caller.asker.trust

    def work(deadline: Deadline) -> bytes:
        return engine.symbolicate(
            decoded, asking.sources, scope=scope, deadline=deadline, trust=trust, annotate=asking.annotate
        )

    return work
