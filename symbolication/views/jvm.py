"""JVM stacks: `/symbolicate-jvm`."""

from __future__ import annotations

from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from engine.jvm.wire import decode_jvm_request
from engine.outgoing import Deadline
from symbolication import runtime
from symbolication.callers import Caller
from symbolication.description import jvm as described
from symbolication.jobs import Work
from symbolication.query import Query
from symbolication.views.base import ProjectView, RootView
from symbolication.views.json_requests import answer_json


class JvmView(RootView):
    """`POST /symbolicate-jvm`."""

    @described.symbolicate
    def post(self, request: Request) -> HttpResponse:
        """Make stacks readable with mappings from the sources of the request."""
        caller = self.caller(request)
        return answer_json(request, caller, partial(_prepared, caller))


class ProjectJvmView(ProjectView):
    """`POST /api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbolicate-jvm/`."""

    @described.project_symbolicate
    def post(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> HttpResponse:
        """Make stacks readable with the project's mappings."""
        caller = self.caller(request, organization_id_or_slug, project_id_or_slug)
        return answer_json(request, caller, partial(_prepared, caller))


def _prepared(caller: Caller, body: bytes, query: Query) -> Work:
    decoded = decode_jvm_request(body, stored=caller.stored)
    asking = caller.asking(decoded.sources)
    engine = runtime.jvm()

    def work(deadline: Deadline) -> bytes:
        return engine.symbolicate(decoded, asking.sources, scope=query.scope, deadline=deadline, explain=asking.explain)

    return work
