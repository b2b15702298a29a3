"""The description of `/minidump`, `/applecrashreport` and `/symbolicate-any`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

import msgspec
from drf_spectacular.utils import OpenApiExample, extend_schema
from msgspec import Meta

from core.openapi import refusals
from symbolication.description.bodies import ScrapingOptions, SymbolicationOptions, Text
from symbolication.description.common import (
    ASKED,
    JSON,
    OWN_SOURCES,
    PROJECT_ASKED,
    TAGS,
    TEXT,
    detail,
    plain,
    posted,
)
from symbolication.description.crash_answers import CRASH_FILE_ANSWER

FORM: Final = "multipart/form-data"
Handler = TypeVar("Handler", bound=Callable[..., Any])


class RewriteFirstModule(msgspec.Struct, rename={"from_": "from"}):
    """Rewrites the debug file of the first module when its files are looked for."""

    from_: Annotated[str, Meta(description="A regular expression.")]
    to: Annotated[str, Meta(description="What takes its place; `$1`, `$name` and `${name}` stand for groups.")]


class MinidumpPlace(msgspec.Struct, tag="minidump"):
    """A minidump on a server."""

    storage_url: Annotated[str, Meta(description="An http or https address.")]
    rewrite_first_module: list[RewriteFirstModule]
    storage_token: Annotated[Text, Meta(description="Sent as a bearer token.")] = None


class AppleReportPlace(msgspec.Struct, tag="applecrashreport"):
    """An Apple crash report on a server."""

    storage_url: Annotated[str, Meta(description="An http or https address.")]
    storage_token: Annotated[Text, Meta(description="Sent as a bearer token.")] = None


class ProjectStoredFile(msgspec.Struct):
    """Where a crash file lies."""

    symbolicate: MinidumpPlace | AppleReportPlace
    platform: Text = None
    scraping: ScrapingOptions | None = None
    options: SymbolicationOptions | None = None


class CrashFilePlace(ProjectStoredFile):
    """Where a crash file lies, and where to look for debug files."""

    sources: Annotated[
        list[dict[str, Any]] | None,
        Meta(description="Symbol sources in Symbolicator's format. Absent or null: none."),
    ] = None


def _json_field(text: str) -> dict[str, Any]:
    return {"type": "string", "contentMediaType": JSON, "description": text, "maxLength": 1024 * 1024}


_FIELDS: Final = {
    "options": _json_field("JSON: `dif_candidates` asks for the record of every file that was looked for."),
    "scraping": _json_field("JSON: how linked sources may be fetched, as for `/symbolicate`."),
    "platform": _json_field("JSON: a string, with its quotes."),
}
_SOURCES: Final = {
    "sources": _json_field("JSON: symbol sources in Symbolicator's format. Absent: the configured ones. `[]`: none.")
}
_REWRITE: Final = {
    "rewrite_first_module": _json_field(
        "JSON: a list of `{from, to}`; the first expression that matches rewrites the name of the debug file of the"
        " first module when its files are looked for."
    )
}


def _form(part: str, description: str, *fields: dict[str, Any]) -> dict[str, Any]:
    file = {part: {"type": "string", "format": "binary", "description": description}}
    properties = {name: schema for group in (file, *fields) for name, schema in group.items()}
    return {FORM: {"type": "object", "properties": properties, "required": [part]}}


_DUMP: Final = ("upload_file_minidump", "The minidump; the name of the file is of no matter.")
_REPORT: Final = ("apple_crash_report", "The report: text, `.ips` or `.plcrash`.")
_FORM_REFUSALS: Final[dict[Any, Any]] = {
    (400, TEXT): plain(
        "The query string cannot be read, or the content type names no boundary.",
        "The content type must be multipart/form-data with one boundary.",
    ),
    (400, JSON): detail(
        "The form cannot be read, is too large, lacks the file, or a field is not what it should be.",
        "missing minidump",
    ),
    408: detail("The body came too slowly.", "The body came too slowly."),
    413: detail("A field is too large.", "options: larger than 1048576 bytes"),
    415: detail("The body's coding is not known.", "The body's Content-Encoding must be gzip, deflate, br or zstd."),
    503: detail("Too many requests are in flight.", "maximum number of concurrent requests reached"),
}


def _described(name: str, summary: str, request: dict[str, Any], *, project: bool) -> Callable[[Handler], Handler]:
    described: Callable[[Handler], Handler] = extend_schema(
        operation_id=f"{name}_for_project" if project else name,
        summary=f"{summary} with a project's sources" if project else summary,
        tags=TAGS,
        parameters=PROJECT_ASKED if project else ASKED,
        request=request,
        responses={
            200: CRASH_FILE_ANSWER,
            **_FORM_REFUSALS,
            **refusals(*((403, 404) if project else (403,)), style="sentry"),
        },
    )
    return described


minidump = _described(
    "symbolicate_minidump", "Symbolicate a minidump", _form(*_DUMP, _SOURCES, _FIELDS, _REWRITE), project=False
)
project_minidump = _described(
    "symbolicate_minidump", "Symbolicate a minidump", _form(*_DUMP, _FIELDS, _REWRITE), project=True
)
apple = _described(
    "symbolicate_apple_report", "Symbolicate an Apple crash report", _form(*_REPORT, _SOURCES, _FIELDS), project=False
)
project_apple = _described(
    "symbolicate_apple_report", "Symbolicate an Apple crash report", _form(*_REPORT, _FIELDS), project=True
)

_PLACE: Final[dict[str, Any]] = {
    "symbolicate": {
        "type": "minidump",
        "storage_url": "https://files.example.com/crashes/4711.dmp",
        "storage_token": "…",
        "rewrite_first_module": [],
    },
    "options": {"dif_candidates": True},
}
_STORED: Final = (
    "The file is fetched from where it lies, in at most three tries, and then treated as if it had been sent."
)

stored = extend_schema(
    operation_id="symbolicate_stored_file",
    summary="Symbolicate a crash file that lies on a server",
    description=_STORED,
    tags=TAGS,
    parameters=ASKED,
    request={JSON: CrashFilePlace},
    examples=[OpenApiExample("A minidump", {**_PLACE, "sources": []}, request_only=True)],
    responses={**posted(CRASH_FILE_ANSWER), **refusals(403, style="sentry")},
)
project_stored = extend_schema(
    operation_id="symbolicate_stored_file_for_project",
    summary="Symbolicate a crash file that lies on a server with a project's sources",
    description=_STORED,
    tags=TAGS,
    parameters=PROJECT_ASKED,
    request={JSON: ProjectStoredFile},
    examples=[OpenApiExample("A minidump", _PLACE, request_only=True)],
    responses={**posted(CRASH_FILE_ANSWER), (400, JSON): OWN_SOURCES, **refusals(403, 404, style="sentry")},
)
