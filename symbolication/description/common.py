"""What the descriptions of the endpoints have in common."""

from __future__ import annotations

from typing import Any, Final, Literal

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from core.openapi import FrameworkRefusal, challenge
from projects.openapi import ORGANIZATION, PROJECT
from symbolication.description.answers import Alternatives
from symbolication.description.examples import PENDING

TEXT: Final = "text/plain"
JSON: Final = "application/json"
TAGS: Final = ["Symbolication"]
_TEXTS: Final = {
    400: ("The query string cannot be read, or the body is not JSON.", "The query string cannot be read: …"),
    408: ("The body came too slowly.", "The body came too slowly."),
    413: ("The body is too large.", "The body is larger than 57671680 bytes."),
    415: ("The body is not JSON by its content type.", "The content type of the request must be application/json"),
    422: ("The body is JSON and no request.", "$.stacktraces[0]: Object missing required field `frames`"),
}


class AnswerSchema(OpenApiSerializerExtension):
    """Describes an answer as one of its alternatives."""

    target_class = Alternatives
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Literal["request", "response"]) -> str:
        """The component is called as the class is."""
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: Literal["request", "response"]) -> dict[str, Any]:
        """One of the alternatives, which are components of their own."""
        refs = [auto_schema.resolve_serializer(one, direction).ref for one in self.target.alternatives]
        return {"oneOf": refs, "description": self.target.__doc__}


def timeout(text: str) -> OpenApiParameter:
    return OpenApiParameter("timeout", {"type": "integer", "minimum": 0}, description=text)


TIMEOUT: Final = timeout("Seconds to wait for the answer; then a pending one is given. Absent: until it is there.")
SCOPE: Final = OpenApiParameter(
    "scope",
    str,
    description="Keeps cached files apart: what one scope fetched is not used for another.",
    default="global",
)


def texts(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    return {(status, TEXT): plain(*_TEXTS[status]) for status in statuses}


def plain(description: str, example: str) -> OpenApiResponse:
    return OpenApiResponse(
        OpenApiTypes.STR, description, [OpenApiExample("Refused", example, media_type=TEXT, response_only=True)]
    )


def detail(description: str, text: str) -> OpenApiResponse:
    return OpenApiResponse(FrameworkRefusal, description, [OpenApiExample("Refused", {"detail": text})])


FULL: Final = detail("Too many requests are in flight.", "maximum number of concurrent requests reached")
OWN_SOURCES: Final = detail(
    "The request names sources of its own.", "sources: the project's stored sources are used; leave this field out"
)
ASKED: Final = [TIMEOUT, SCOPE, challenge()]
PROJECT_ASKED: Final = [ORGANIZATION, PROJECT, *ASKED]


def answers(kind: type[Alternatives], *examples: OpenApiExample) -> OpenApiResponse:
    """The answer of an endpoint, completed as in `examples`, or not ready yet."""
    return OpenApiResponse(kind, "The answer, or that it is not ready yet.", [*examples, PENDING])


def posted(answer: OpenApiResponse) -> dict[Any, OpenApiResponse]:
    """What is answered to JSON."""
    return {200: answer, **texts(400, 408, 413, 415, 422), 503: FULL}
