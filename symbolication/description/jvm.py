"""The description of `/symbolicate-jvm`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from drf_spectacular.utils import OpenApiExample, extend_schema
from msgspec import UNSET, Meta, UnsetType

from core.openapi import refusals
from symbolication.description.answers import NOT_COMPLETED, Alternatives
from symbolication.description.bodies import Text, Unsigned, Unsigned32
from symbolication.description.common import ASKED, JSON, OWN_SOURCES, PROJECT_ASKED, TAGS, answers, posted

Some = str | UnsetType


class JvmStackFrame(msgspec.Struct):
    """A frame; `index` is the caller's own number for it, which all frames that come of it keep."""

    function: str
    module: Annotated[str, Meta(description="The class with its package.")]
    index: Unsigned
    platform: Text = None
    filename: Text = None
    abs_path: Text = None
    lineno: Unsigned32 | None = None
    pre_context: list[str] | None = None
    context_line: Text = None
    post_context: list[str] | None = None
    in_app: bool | None = None
    signature: Annotated[Text, Meta(description="The method's descriptor.", examples=["(Lio/wzieba/a;)V"])] = None


class JvmExceptionClass(msgspec.Struct):
    """The class of an exception, and its package."""

    type: str
    module: str


class JvmStack(msgspec.Struct):
    """A stack, the caller first unless `frame_order` says otherwise, with the exception that was thrown."""

    frames: list[JvmStackFrame]
    exception: JvmExceptionClass | None = None


class JvmFile(msgspec.Struct):
    """A mapping, or a bundle of source files."""

    uuid: UUID
    type: Literal["proguard", "source"]


class JvmRequestOptions(msgspec.Struct):
    """`apply_source_context` is on unless false."""

    apply_source_context: bool | None = None
    frame_order: Literal["caller_first", "callee_first"] | None = None


class ProjectJvm(msgspec.Struct):
    """JVM stacks, exceptions and classes, and the mappings that explain them."""

    platform: Text = None
    exceptions: list[JvmExceptionClass] | None = None
    stacktraces: list[JvmStack] | None = None
    modules: list[JvmFile] | None = None
    release_package: Annotated[Text, Meta(description="Frames of classes below it are the application's.")] = None
    classes: Annotated[list[str] | None, Meta(description="Further obfuscated names of classes.")] = None
    options: JvmRequestOptions | None = None


class Jvm(ProjectJvm, kw_only=True):
    """JVM stacks, and where their mappings lie."""

    sources: Annotated[list[dict[str, Any]], Meta(description="Symbol sources in Symbolicator's format.")]


class SymbolicatedJvmFrame(msgspec.Struct):
    """A frame of the answer. Inlined methods give several with one `index`."""

    function: str
    module: str
    index: int
    platform: Some = UNSET
    filename: Some = UNSET
    abs_path: Some = UNSET
    lineno: int | UnsetType = UNSET
    pre_context: list[str] | UnsetType = UNSET
    context_line: Some = UNSET
    post_context: list[str] | UnsetType = UNSET
    in_app: bool | UnsetType = UNSET
    signature: Some = UNSET
    method_synthesized: bool | UnsetType = UNSET
    diagnosis: Annotated[dict[str, Any], Meta(description="On the project's endpoint: why it is as it is.")] | (
        UnsetType
    ) = UNSET


class SymbolicatedJvmStack(msgspec.Struct):
    """A stack in the order of the request."""

    frames: list[SymbolicatedJvmFrame]
    exception: JvmExceptionClass | None


class JvmFileError(msgspec.Struct):
    """A mapping that was not found, or cannot be used."""

    uuid: UUID
    type: Literal["missing", "invalid"]


class JvmCompleted(msgspec.Struct):
    """The stacks with their original names."""

    status: Literal["completed"]
    exceptions: list[JvmExceptionClass]
    stacktraces: list[SymbolicatedJvmStack]
    classes: Annotated[dict[str, str], Meta(description="Those of the request's classes that were found.")]
    errors: list[JvmFileError]


class JvmAnswer(Alternatives):
    """What became of a request; `status` says which it is."""

    alternatives = (JvmCompleted, *NOT_COMPLETED)


_UUID: Final = "246fb328-fc4e-406a-87ff-fc35f6149d8f"
_BODY: Final[dict[str, Any]] = {
    "platform": "java",
    "exceptions": [{"type": "g", "module": "a.b"}],
    "stacktraces": [
        {
            "exception": {"type": "g", "module": "a.b"},
            "frames": [{"function": "a", "module": "a.b.c", "lineno": 4, "index": 0}],
        }
    ],
    "modules": [{"uuid": _UUID, "type": "proguard"}],
    "release_package": "com.example",
}
_SOURCE: Final = {"id": "own", "type": "sentry", "url": "https://sentry.example.com/files/", "token": "…"}
_THROWN: Final = {"type": "CartException", "module": "com.example.shop"}
_FRAME: Final = {
    "function": "add",
    "module": "com.example.shop.Cart",
    "index": 0,
    "filename": "Cart.java",
    "abs_path": "Cart.java",
    "lineno": 41,
    "in_app": True,
}
_ANSWER: Final = answers(
    JvmAnswer,
    OpenApiExample(
        "Readable",
        {
            "status": "completed",
            "exceptions": [_THROWN],
            "stacktraces": [{"exception": _THROWN, "frames": [_FRAME]}],
            "classes": {},
            "errors": [],
        },
        response_only=True,
    ),
)

symbolicate = extend_schema(
    operation_id="symbolicate_jvm",
    summary="Make JVM stacks readable",
    tags=TAGS,
    parameters=ASKED,
    request={JSON: Jvm},
    examples=[OpenApiExample("An error in an app", {**_BODY, "sources": [_SOURCE]}, request_only=True)],
    responses={**posted(_ANSWER), **refusals(403, style="sentry")},
)
project_symbolicate = extend_schema(
    operation_id="symbolicate_jvm_for_project",
    summary="Make JVM stacks readable with a project's mappings",
    tags=TAGS,
    parameters=PROJECT_ASKED,
    request={JSON: ProjectJvm},
    examples=[OpenApiExample("An error in an app", _BODY, request_only=True)],
    responses={**posted(_ANSWER), (400, JSON): OWN_SOURCES, **refusals(403, 404, style="sentry")},
)
