"""The description of the endpoints of symbolication."""

from __future__ import annotations

from typing import Any, Final, Literal

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from core.openapi import FrameworkRefusal, challenge, refusals
from symbolication.description.answers import SymbolicationAnswer
from symbolication.description.bodies import ProjectSymbolication, Symbolication
from symbolication.description.examples import ANSWER, PENDING, PROJECT_REQUEST, REQUEST

TEXT: Final = "text/plain"
JSON: Final = "application/json"
_TAGS: Final = ["Symbolication"]
_TEXTS: Final = {
    400: ("The query string cannot be read, or the body is not JSON.", "The query string cannot be read: …"),
    408: ("The body came too slowly.", "The body came too slowly."),
    413: ("The body is too large.", "The body is larger than 57671680 bytes."),
    415: ("The body is not JSON by its content type.", "The content type of the request must be application/json"),
    422: ("The body is JSON and no request.", "$.stacktraces[0]: Object missing required field `frames`"),
}


class AnswerSchema(OpenApiSerializerExtension):
    """Describes the answer as one of its alternatives."""

    target_class = SymbolicationAnswer
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Literal["request", "response"]) -> str:
        """The component is called as the class is."""
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: Literal["request", "response"]) -> dict[str, Any]:
        """One of the alternatives, which are components of their own."""
        refs = [auto_schema.resolve_serializer(one, direction).ref for one in self.target.alternatives]
        return {"oneOf": refs, "description": self.target.__doc__}


def _timeout(text: str) -> OpenApiParameter:
    return OpenApiParameter("timeout", {"type": "integer", "minimum": 0}, description=text)


_TIMEOUT: Final = _timeout("Seconds to wait for the answer; then a pending one is given. Absent: until it is there.")
_SCOPE: Final = OpenApiParameter(
    "scope",
    str,
    description="Keeps cached files apart: what one scope fetched is not used for another.",
    default="global",
)


def _texts(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    return {(status, TEXT): _plain(*_TEXTS[status]) for status in statuses}


def _plain(description: str, example: str) -> OpenApiResponse:
    return OpenApiResponse(
        OpenApiTypes.STR, description, [OpenApiExample("Refused", example, media_type=TEXT, response_only=True)]
    )


def _detail(description: str, text: str) -> OpenApiResponse:
    return OpenApiResponse(FrameworkRefusal, description, [OpenApiExample("Refused", {"detail": text})])


_ANSWER: Final = OpenApiResponse(SymbolicationAnswer, "The answer, or that it is not ready yet.", [ANSWER, PENDING])
_FULL: Final = _detail("Too many requests are in flight.", "maximum number of concurrent requests reached")
_POSTED: Final[dict[Any, OpenApiResponse]] = {200: _ANSWER, **_texts(400, 408, 413, 415, 422), 503: _FULL}
_OWN_SOURCES: Final = _detail(
    "The request names sources of its own.", "sources: the project's stored sources are used; leave this field out"
)
_NOT_FOUND: Final = OpenApiResponse(None, "No such request, or not for the caller, or its answer is no longer kept.")

symbolicate = extend_schema(
    operation_id="symbolicate",
    summary="Symbolicate native stacks",
    tags=_TAGS,
    parameters=[_TIMEOUT, _SCOPE, challenge()],
    request={JSON: Symbolication},
    examples=[REQUEST],
    responses={**_POSTED, **refusals(403, style="sentry")},
)
project_symbolicate = extend_schema(
    operation_id="symbolicate_for_project",
    summary="Symbolicate native stacks with a project's sources",
    tags=_TAGS,
    parameters=[_TIMEOUT, _SCOPE, challenge()],
    request={JSON: ProjectSymbolication},
    examples=[PROJECT_REQUEST],
    responses={**_POSTED, (400, JSON): _OWN_SOURCES, **refusals(403, 404, style="sentry")},
)
_STATUS: Final[dict[str, Any]] = {
    "summary": "Ask for a pending answer",
    "tags": _TAGS,
    "parameters": [_timeout("Seconds to wait for the answer. Absent: until it is there."), challenge()],
}
request_status = extend_schema(
    operation_id="symbolication_status",
    responses={200: _ANSWER, **_texts(400), 404: _NOT_FOUND, **refusals(403, style="sentry")},
    **_STATUS,
)
project_request_status = extend_schema(
    operation_id="symbolication_status_for_project",
    responses={200: _ANSWER, **_texts(400), **refusals(403, 404, style="sentry")},
    **_STATUS,
)
