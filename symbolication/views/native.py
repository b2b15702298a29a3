"""Native stacks: `/symbolicate`."""

from __future__ import annotations

from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from engine.outgoing import Deadline
from symbolication import runtime
from symbolication.callers import Caller
from symbolication.description import native as described
from symbolication.jobs import Work
from symbolication.query import Query
from symbolication.views.base import ProjectView, RootView
from symbolication.views.json_requests import answer_json


class SymbolicateView(RootView):
    """`POST /symbolicate`."""

    @described.symbolicate
    def post(self, request: Request) -> HttpResponse:
        """Symbolicate with the sources of the request, or the configured ones when it names none."""
        caller = self.caller(request)
        return answer_json(request, caller, partial(prepared, caller))


class ProjectSymbolicateView(ProjectView):
    """`POST /api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbolicate/`."""

    @described.project_symbolicate
    def post(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> HttpResponse:
        """Symbolicate with the project's stored sources."""
        caller = self.caller(request, organization_id_or_slug, project_id_or_slug)
        return answer_json(request, caller, partial(prepared, caller))


def prepared(caller: Caller, body: bytes, query: Query) -> Work:
    """The work that a body asks for. Raises BadJson, BadSchema, BadSource and Refused."""
    engine, trust = runtime.engine(), caller.asker.trust
    decoded = engine.decode(body)
    asking = caller.asking(decoded.sources)

    def work(deadline: Deadline) -> bytes:
        return engine.symbolicate(
            decoded, asking.sources, scope=query.scope, deadline=deadline, trust=trust, annotate=asking.annotate
        )

    return work
