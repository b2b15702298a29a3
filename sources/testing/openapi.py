"""What the OpenAPI schema says about the test of a source."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from core.openapi import BODY_STATUSES, FieldRefusal, Refusal, challenge, refusals
from projects.openapi import ORGANIZATION, PROJECT
from sources.components import Component
from sources.fields import object_schema
from sources.openapi import CHANGED, TAG
from sources.testing.reading import FILE_FIELDS
from sources.testing.trial import SourceTestReport
from sources.types import TYPES

View = TypeVar("View", bound=type)

_FILE: Final = Component(
    "SourceTestFile",
    lambda ref: {
        **object_schema(FILE_FIELDS),
        "description": "A module whose file is looked for; at least one of the ids is needed.",
    },
)
_WRAPPED: Final = Component(
    "SourceTestWithFile",
    lambda ref: {
        "type": "object",
        "properties": {
            "source": {"oneOf": [ref(CHANGED), {"type": "null"}]},
            "file": {"oneOf": [ref(_FILE), {"type": "null"}]},
        },
        "additionalProperties": False,
        "description": "A source (with `?id=`, absent for the stored one), and a file to look for.",
    },
)
_BODY: Final = Component("SourceTest", lambda ref: {"oneOf": [ref(_WRAPPED), ref(CHANGED)]})
_ID: Final = OpenApiParameter("id", str, OpenApiParameter.QUERY, description="The id of the stored source to test.")
_STEPS: Final = [
    ("resolve", "ok", 3, "symbols.example.com leads to 2 address(es)."),
    ("connect", "ok", 14, "The connection was accepted."),
    ("tls", "ok", 31, "The certificate is accepted."),
    ("authenticate", "failed", 12, "401 Unauthorized."),
    ("list", "skipped", 0, "An earlier step failed."),
    ("read", "skipped", 0, "An earlier step failed."),
    ("file", "skipped", 0, "An earlier step failed."),
    ("layout", "skipped", 0, "An earlier step failed."),
]
_REPORT: Final[dict[str, Any]] = {
    "verdict": "refused",
    "cause": "401 Unauthorized.",
    "remedy": "Enter the user name and password, or the keys, again.",
    "steps": [dict(zip(("step", "status", "milliseconds", "text"), step, strict=True)) for step in _STEPS],
    "layout": None,
}
_EXAMPLE: Final = {"source": dict(TYPES["http"].example), "file": {"type": "elf", "code_id": "3988be7f44385cce25e3"}}
_BUSY: Final = OpenApiExample("Busy", {"error": "too many tests are running; try again in a few seconds"})


def describe_test(view: View) -> View:
    """Describes the one operation."""
    described: View = extend_schema_view(
        post=extend_schema(
            operation_id="test_project_symbol_source",
            summary="Test a symbol source",
            description="Walks from the host's name to a file, tells each step, and stores nothing; over after 15"
            " seconds. Needs `project:write` or `project:admin`.",
            tags=[TAG],
            parameters=[ORGANIZATION, PROJECT, _ID, challenge()],
            request={"application/json": _BODY},
            examples=[OpenApiExample("A source and a file", _EXAMPLE, request_only=True)],
            responses={
                200: OpenApiResponse(SourceTestReport, "What came of it.", [OpenApiExample("Refused", _REPORT)]),
                503: OpenApiResponse(FieldRefusal, "Too many tests are running.", [_BUSY]),
                **refusals(403, 404, *BODY_STATUSES, style="sentry"),
                404: OpenApiResponse(Refusal, "The source, or what holds it, does not exist for the caller."),
            },
        )
    )(view)
    return described
