"""The body of a JVM symbolication request, decoded and checked in one place, and the answer's forms.

`null` for an optional field counts as absent, unknown fields are ignored. What is valid JSON but no request raises
BadSchema (422), everything else BadJson (400). Error texts name the path of a field, never its value.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from engine.decoding import BadSchema, decode_body

Unsigned32 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
Unsigned = Annotated[int, msgspec.Meta(ge=0)]
_U64_END = 1 << 64
_NULL = msgspec.Raw(b"null")


class JvmFrame(msgspec.Struct, omit_defaults=True):
    """A frame, as it came or as it goes out. `module` is a dotted class; `lineno` is 1-based."""

    function: str
    module: str
    index: Unsigned
    platform: str | None = None
    filename: str | None = None
    abs_path: str | None = None
    lineno: Unsigned32 | None = None
    pre_context: list[str] | None = None
    context_line: str | None = None
    post_context: list[str] | None = None
    in_app: bool | None = None
    signature: str | None = None
    method_synthesized: bool = False
    diagnosis: dict[str, Any] | None = None


class JvmException(msgspec.Struct):
    """The type of an exception, without its package, and the package."""

    type: str
    module: str


class JvmStacktrace(msgspec.Struct):
    frames: list[JvmFrame]
    exception: JvmException | None = None


class JvmModule(msgspec.Struct):
    """A mapping or a bundle of source files, by its debug id."""

    uuid: UUID
    type: Literal["proguard", "source"]


class JvmOptions(msgspec.Struct):
    apply_source_context: bool | None = None
    frame_order: Literal["caller_first", "callee_first"] | None = None


class _Body(msgspec.Struct):
    platform: str | None = None
    sources: msgspec.Raw = _NULL
    exceptions: list[JvmException] | None = None
    stacktraces: list[JvmStacktrace] | None = None
    modules: list[JvmModule] | None = None
    release_package: str | None = None
    classes: list[str] | None = None
    options: JvmOptions | None = None


class JvmRequest(msgspec.Struct):
    """A request to make JVM stacks readable. `sources` is raw JSON, None when it was absent or null."""

    platform: str | None
    sources: msgspec.Raw | None
    exceptions: list[JvmException]
    stacktraces: list[JvmStacktrace]
    modules: list[JvmModule]
    release_package: str | None
    classes: list[str]
    with_context: bool
    caller_first: bool


class JvmError(msgspec.Struct, frozen=True):
    """A mapping that could not be had (`missing`) or used (`invalid`)."""

    uuid: UUID
    type: Literal["missing", "invalid"]


class JvmAnswer(msgspec.Struct):
    """A completed answer, ready to be encoded."""

    status: str
    exceptions: list[JvmException]
    stacktraces: list[JvmStacktrace]
    classes: dict[str, str]
    errors: list[JvmError]


_decoder = msgspec.json.Decoder(_Body)


def decode_jvm_request(body: bytes, *, stored: bool) -> JvmRequest:
    """Decode the body of POST /symbolicate-jvm. Raises BadJson (answer 400) or BadSchema (answer 422).

    Where sources are `stored`, the field may be absent.
    """
    wire = decode_body(_decoder, body)
    sources = None if bytes(wire.sources) == b"null" else wire.sources
    if sources is None and not stored:
        raise BadSchema("$: Object missing required field `sources`")
    options = wire.options or JvmOptions()
    for at, stack in enumerate(wire.stacktraces or []):
        _cleanse(stack, at)
    return JvmRequest(
        platform=wire.platform,
        sources=sources,
        exceptions=wire.exceptions or [],
        stacktraces=wire.stacktraces or [],
        modules=wire.modules or [],
        release_package=wire.release_package,
        classes=wire.classes or [],
        with_context=options.apply_source_context is not False,
        caller_first=options.frame_order != "callee_first",
    )


def _cleanse(stack: JvmStacktrace, at: int) -> None:
    """What only an answer says is not taken from a request."""
    for index, frame in enumerate(stack.frames):
        if frame.index >= _U64_END:
            raise BadSchema(f"$.stacktraces[{at}].frames[{index}].index: the number is too large")
        frame.diagnosis, frame.method_synthesized = None, False
        frame.pre_context, frame.post_context = frame.pre_context or None, frame.post_context or None
