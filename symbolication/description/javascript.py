"""The description of `/symbolicate-js`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from drf_spectacular.utils import OpenApiExample, extend_schema
from msgspec import UNSET, Meta, UnsetType

from core.openapi import refusals
from symbolication.description.answers import NOT_COMPLETED, Alternatives
from symbolication.description.bodies import Text, Unsigned32
from symbolication.description.common import ASKED, JSON, PROJECT_ASKED, TAGS, answers, posted

Some = str | UnsetType
_HEADERS: Final = "Sent along when a file is fetched from an allowed origin."


class JavascriptFrameData(msgspec.Struct):
    """How a frame was symbolicated. What is sent along is kept for frames that are not."""

    sourcemap: Text = None
    sourcemap_origin: Any = None
    resolved_with: Text = None
    symbolicated: bool | None = None


class JavascriptFrame(msgspec.Struct):
    """A frame of a minified script; lines and columns begin with 1. Fields beyond these are dropped."""

    abs_path: Annotated[str, Meta(description="The URL of the script.")]
    lineno: Unsigned32
    colno: Unsigned32 | None = None
    platform: Text = None
    function: Text = None
    filename: Text = None
    module: Text = None
    pre_context: list[str] | None = None
    context_line: Text = None
    post_context: list[str] | None = None
    data: JavascriptFrameData | None = None


class JavascriptStack(msgspec.Struct):
    """A stack, the caller first unless `frame_order` says otherwise."""

    frames: list[JavascriptFrame]


class JavascriptModule(msgspec.Struct):
    """A script that was loaded, and the debug id of its build."""

    type: Annotated[str, Meta(description="`sourcemap`; whatever else is said, it is taken for one.")]
    code_file: str
    debug_id: str


class JavascriptScraping(msgspec.Struct):
    """Whether and from where files may be fetched from the web."""

    enabled: bool
    allowed_origins: list[str]
    headers: Annotated[dict[str, str] | None, Meta(description=_HEADERS)] = None
    verify_ssl: bool | None = None


class JavascriptOptions(msgspec.Struct):
    """`apply_source_context` is on unless false."""

    apply_source_context: bool | None = None
    frame_order: Literal["caller_first", "callee_first"] | None = None


class ProjectJavascript(msgspec.Struct):
    """JavaScript stacks and the release they come from."""

    platform: Text = None
    stacktraces: list[JavascriptStack] | None = None
    modules: list[JavascriptModule] | None = None
    release: Text = None
    dist: Text = None
    allow_scraping: bool | None = None
    scraping: JavascriptScraping | None = None
    options: JavascriptOptions | None = None


class JavascriptSource(msgspec.Struct):
    """A server that speaks Sentry's artifact lookup; with either a token or cookies."""

    id: str
    url: Annotated[str, Meta(description="An http or https address.")]
    token: Text = None
    cookies: str | dict[str, str] | None = None


class Javascript(ProjectJavascript, kw_only=True):
    """JavaScript stacks, the release they come from, and the server that has its artifacts."""

    source: JavascriptSource


class JavascriptLookedFor(msgspec.Struct):
    """One file that was looked for, and by what; `problem` is what came of it."""

    kind: str
    debug_id: Some = UNSET
    release: Some = UNSET
    dist: Some = UNSET
    urls: list[str] | UnsetType = UNSET
    problem: Some = UNSET


class JavascriptNearMiss(msgspec.Struct):
    """An artifact that nearly was the wanted one."""

    kind: str
    text: str


class JavascriptDiagnosis(msgspec.Struct):
    """What is wrong with a frame and what to do about it."""

    verdict: Literal[
        "no_line",
        "script_missing",
        "no_map_reference",
        "map_missing",
        "map_malformed",
        "no_token",
        "source_missing",
        "line_out_of_range",
    ]
    text: str
    remedy: str
    looked_for: list[JavascriptLookedFor] | UnsetType = UNSET
    near_misses: list[JavascriptNearMiss] | UnsetType = UNSET


class SymbolicatedJavascriptData(msgspec.Struct):
    """How a frame was symbolicated."""

    symbolicated: bool
    sourcemap: Some = UNSET
    sourcemap_origin: Annotated[Any, Meta(description="Where the source map lay.")] = UNSET
    resolved_with: Some = UNSET


class SymbolicatedJavascriptFrame(msgspec.Struct):
    """A frame of the answer; every frame of the request has exactly one."""

    abs_path: str
    lineno: int
    data: SymbolicatedJavascriptData | UnsetType = UNSET
    colno: int | UnsetType = UNSET
    platform: Some = UNSET
    function: Some = UNSET
    filename: Some = UNSET
    module: Some = UNSET
    pre_context: list[str] | UnsetType = UNSET
    context_line: Some = UNSET
    post_context: list[str] | UnsetType = UNSET
    diagnosis: Annotated[
        JavascriptDiagnosis, Meta(description="On the project's endpoint, for frames that lack something.")
    ] | (UnsetType) = UNSET


class SymbolicatedJavascriptStack(msgspec.Struct):
    """A stack in the order of the request."""

    frames: list[SymbolicatedJavascriptFrame]


class ScrapingAttempt(msgspec.Struct):
    """A try to have one file from the web."""

    url: str
    status: Literal["not_attempted", "success", "failure"]
    reason: Some = UNSET
    details: Some = UNSET


class JavascriptCompleted(msgspec.Struct):
    """The stacks in terms of their sources, and as they came with the lines of the minified scripts."""

    status: Literal["completed"]
    stacktraces: list[SymbolicatedJavascriptStack]
    raw_stacktraces: list[SymbolicatedJavascriptStack]
    errors: Annotated[list[dict[str, str | int | None]], Meta(description="`abs_path`, `type`, and more.")] | (
        UnsetType
    ) = UNSET
    scraping_attempts: list[ScrapingAttempt] | UnsetType = UNSET


class JavascriptAnswer(Alternatives):
    """What became of a request; `status` says which it is."""

    alternatives = (JavascriptCompleted, *NOT_COMPLETED)


_SOURCE: Final = {
    "id": "artifacts",
    "url": "https://sentry.example.com/api/0/projects/acme/shop/artifact-lookup/",
    "token": "…",
}
_BODY: Final[dict[str, Any]] = {
    "platform": "javascript",
    "release": "shop@1.33.1",
    "dist": "production",
    "stacktraces": [
        {"frames": [{"abs_path": "https://shop.example.com/app.min.js", "lineno": 1, "colno": 1024, "function": "x"}]}
    ],
    "modules": [
        {
            "type": "sourcemap",
            "code_file": "https://shop.example.com/app.min.js",
            "debug_id": "c941d872-af1f-4f0c-a7ff-ad3d295fe153",
        }
    ],
    "scraping": {"enabled": True, "allowed_origins": ["*.example.com"], "headers": {}},
}
_FRAME: Final[dict[str, Any]] = {
    "abs_path": "https://shop.example.com/src/cart.ts",
    "filename": "src/cart.ts",
    "module": "src/cart",
    "function": "addToCart",
    "lineno": 12,
    "colno": 7,
    "context_line": "  throw new Error('no such article');",
    "data": {
        "symbolicated": True,
        "sourcemap": "https://shop.example.com/app.min.js.map",
        "resolved_with": "debug-id",
        "sourcemap_origin": {"individual_file": "sentry://project_debug_file/42"},
    },
}
_RAW: Final = {**_BODY["stacktraces"][0]["frames"][0], "data": {"symbolicated": False}}
_ANSWER: Final = answers(
    JavascriptAnswer,
    OpenApiExample(
        "Symbolicated",
        {
            "status": "completed",
            "stacktraces": [{"frames": [_FRAME]}],
            "raw_stacktraces": [{"frames": [_RAW]}],
            "scraping_attempts": [{"url": "https://shop.example.com/app.min.js", "status": "not_attempted"}],
        },
        response_only=True,
    ),
)

symbolicate = extend_schema(
    operation_id="symbolicate_javascript",
    summary="Symbolicate JavaScript stacks",
    tags=TAGS,
    parameters=ASKED,
    request={JSON: Javascript},
    examples=[OpenApiExample("An error in a shop", {**_BODY, "source": _SOURCE}, request_only=True)],
    responses={**posted(_ANSWER), **refusals(403, style="sentry")},
)
project_symbolicate = extend_schema(
    operation_id="symbolicate_javascript_for_project",
    summary="Symbolicate JavaScript stacks with a project's artifacts",
    description="With the artifacts and the scraping configuration of the project; the request can switch scraping off,"
    " and not on.",
    tags=TAGS,
    parameters=PROJECT_ASKED,
    request={JSON: ProjectJavascript},
    examples=[OpenApiExample("An error in a shop", _BODY, request_only=True)],
    responses={**posted(_ANSWER), **refusals(403, 404, style="sentry")},
)
