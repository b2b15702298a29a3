"""JavaScript stacks: `/symbolicate-js`."""

from __future__ import annotations

from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from engine.javascript.wire import decode_js_request
from engine.outgoing import Deadline
from symbolication import runtime
from symbolication.callers import Caller
from symbolication.description import javascript as described
from symbolication.jobs import Work
from symbolication.query import Query
from symbolication.views.base import ProjectView, RootView
from symbolication.views.json_requests import answer_json


class JavascriptView(RootView):
    """`POST /symbolicate-js`."""

    @described.symbolicate
    def post(self, request: Request) -> HttpResponse:
        """Symbolicate with the artifacts of the server that the request names."""
        caller = self.caller(request)
        return answer_json(request, caller, partial(_prepared, caller))


class ProjectJavascriptView(ProjectView):
    """`POST /api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbolicate-js/`."""

    @described.project_symbolicate
    def post(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> HttpResponse:
        """Symbolicate with the project's artifacts."""
        caller = self.caller(request, organization_id_or_slug, project_id_or_slug)
        return answer_json(request, caller, partial(_prepared, caller))


def _prepared(caller: Caller, body: bytes, query: Query) -> Work:
    decoded = decode_js_request(body, stored=caller.stored)
    artifacts = caller.artifacts(decoded)
    engine, trust = runtime.javascript(), caller.asker.trust

    def work(deadline: Deadline) -> bytes:
        return engine.symbolicate(
            decoded,
            artifacts.provider,
            scope=query.scope,
            deadline=deadline,
            trust=trust,
            scraping=artifacts.scraping,
            explain=caller.stored,
        )

    return work
