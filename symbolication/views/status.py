"""What became of pending requests, and whether the process answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from core.api import not_found
from symbolication.description import native as described
from symbolication.polls import answer_of, await_answer
from symbolication.rejections import TEXT
from symbolication.views.base import ProjectView, RootView
from symbolication.views.flight import json_answer, pending, query_of


class RequestView(RootView):
    """`GET /requests/{id}`."""

    @described.request_status
    def get(self, request: Request, request_id: str) -> HttpResponse:
        """What became of a request that was answered as pending."""
        return _status(request, request_id, self.caller(request).asker.organization_id)


class ProjectRequestView(ProjectView):
    """`GET /api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/requests/{id}/`."""

    @described.project_request_status
    def get(
        self, request: Request, organization_id_or_slug: str, project_id_or_slug: str, request_id: str
    ) -> HttpResponse:
        """What became of a request that was answered as pending."""
        caller = self.caller(request, organization_id_or_slug, project_id_or_slug)
        found = _status(request, request_id, caller.asker.organization_id)
        if found.status_code == 404:
            raise not_found()
        return found


@csrf_exempt
@require_safe
def healthcheck(_request: Any) -> HttpResponse:
    """`GET /healthcheck`: the process answers. For everybody, as in Symbolicator."""
    return HttpResponse("ok", content_type=TEXT)


def _status(request: Request, request_id: str, organization_id: int | None) -> HttpResponse:
    query = query_of(request)
    try:
        wanted = UUID(request_id)
    except ValueError:
        return _unknown()
    seen = await_answer(wanted, organization_id, query.timeout)
    answer = answer_of(seen)
    if answer is not None:
        return json_answer(answer)
    return json_answer(pending(wanted)) if seen.state == "running" else _unknown()


def _unknown() -> HttpResponse:
    """404 with nothing in it, as Symbolicator answers; so there is no type of content either."""
    answer = HttpResponse(status=404)
    del answer["Content-Type"]
    return answer
