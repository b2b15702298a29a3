"""The description of `/symbolicate`, and of asking for pending answers."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiResponse, extend_schema

from core.openapi import challenge, refusals
from symbolication.description.answers import SymbolicationAnswer
from symbolication.description.bodies import ProjectSymbolication, Symbolication
from symbolication.description.common import ASKED, JSON, OWN_SOURCES, TAGS, answers, posted, texts, timeout
from symbolication.description.examples import ANSWER, PROJECT_REQUEST, REQUEST

_ANSWER: Final = answers(SymbolicationAnswer, ANSWER)
_NOT_FOUND: Final = OpenApiResponse(None, "No such request, or not for the caller, or its answer is no longer kept.")

symbolicate = extend_schema(
    operation_id="symbolicate",
    summary="Symbolicate native stacks",
    tags=TAGS,
    parameters=ASKED,
    request={JSON: Symbolication},
    examples=[REQUEST],
    responses={**posted(_ANSWER), **refusals(403, style="sentry")},
)
project_symbolicate = extend_schema(
    operation_id="symbolicate_for_project",
    summary="Symbolicate native stacks with a project's sources",
    tags=TAGS,
    parameters=ASKED,
    request={JSON: ProjectSymbolication},
    examples=[PROJECT_REQUEST],
    responses={**posted(_ANSWER), (400, JSON): OWN_SOURCES, **refusals(403, 404, style="sentry")},
)
_STATUS: Final[dict[str, Any]] = {
    "summary": "Ask for a pending answer",
    "tags": TAGS,
    "parameters": [timeout("Seconds to wait for the answer. Absent: until it is there."), challenge()],
}
request_status = extend_schema(
    operation_id="symbolication_status",
    responses={200: _ANSWER, **texts(400), 404: _NOT_FOUND, **refusals(403, style="sentry")},
    **_STATUS,
)
project_request_status = extend_schema(
    operation_id="symbolication_status_for_project",
    responses={200: _ANSWER, **texts(400), **refusals(403, 404, style="sentry")},
    **_STATUS,
)
