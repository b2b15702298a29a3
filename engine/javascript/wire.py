"""The body of a JavaScript request, decoded and checked in this one place, and the frames of its answer.

`null` for an optional field counts as absent, unknown fields are ignored. Error texts name the path of a field, never
its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from engine.decoding import BadSchema, decode_body
from engine.modules import DebugId

U32 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]


class FrameData(msgspec.Struct, omit_defaults=True):
    """What is told about how a frame was symbolicated; `symbolicated` is always part of an answer."""

    sourcemap: str | None = None
    # A text or an object, of which we know our own forms only.
    sourcemap_origin: Any = msgspec.UNSET
    resolved_with: str | None = None
    symbolicated: bool | msgspec.UnsetType | None = msgspec.UNSET


class Frame(msgspec.Struct, omit_defaults=True):
    """A frame as it came, and as it is answered: absent fields and empty lists are left out."""

    abs_path: str
    lineno: U32
    colno: U32 | None = None
    platform: str | None = None
    function: str | None = None
    filename: str | None = None
    module: str | None = None
    pre_context: list[str] | None = None
    context_line: str | None = None
    post_context: list[str] | None = None
    data: FrameData | None = None
    diagnosis: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class ScrapingRules:
    """How files may be fetched from the web: from where, and with which headers. Headers may hold secrets."""

    enabled: bool = True
    allowed_origins: tuple[str, ...] = ("*",)
    headers: tuple[tuple[str, str], ...] = ()
    verify_ssl: bool = True

    def __repr__(self) -> str:
        return f"<ScrapingRules enabled={self.enabled} {self.allowed_origins!r}>"


@dataclass(frozen=True, slots=True)
class JsModule:
    """A source file that was loaded, and the id that its build gave it; None when it is not a debug id."""

    code_file: str
    debug_id: DebugId | None


@dataclass(frozen=True, slots=True)
class JsRequest:
    """A request to symbolicate JavaScript stacks.

    `source` is the raw JSON of the field, None for requests to a project. Frames are in the order of the request.
    """

    source: msgspec.Raw | None
    stacktraces: list[list[Frame]]
    modules: tuple[JsModule, ...]
    release: str | None
    dist: str | None
    scraping: ScrapingRules
    apply_source_context: bool = True
    callee_first: bool = False


class _Stack(msgspec.Struct):
    frames: list[Frame]


class _Module(msgspec.Struct):
    # Whatever the type, a debug id is one of a source map.
    type: str
    code_file: str
    debug_id: str


class _Scraping(msgspec.Struct):
    enabled: bool
    allowed_origins: list[str]
    headers: dict[str, str] | None = None
    verify_ssl: bool | None = None


class _Options(msgspec.Struct):
    apply_source_context: bool | None = None
    frame_order: Literal["callee_first", "caller_first"] | None = None


class _Body(msgspec.Struct):
    platform: str | None = None
    source: msgspec.Raw = msgspec.Raw(b"null")
    stacktraces: list[_Stack] | None = None
    modules: list[_Module] | None = None
    release: str | None = None
    dist: str | None = None
    allow_scraping: bool | None = None
    scraping: _Scraping | None = None
    options: _Options | None = None


_decoder = msgspec.json.Decoder(_Body)


def decode_js_request(body: bytes, *, stored: bool) -> JsRequest:
    """Decode a body. Raises BadJson (answer 400) or BadSchema (answer 422).

    With `stored`, the artifacts are those of a project and the body must not name a source; else it has to, and what
    it names is checked when it is opened (see `open_artifacts`).
    """
    wire = decode_body(_decoder, body)
    source = None if bytes(wire.source) == b"null" else wire.source
    if stored and source is not None:
        raise BadSchema("$.source: the artifacts of the project are used, a source cannot be given")
    if not stored and source is None:
        raise BadSchema("$: Object missing required field `source`")
    options = wire.options or _Options()
    return JsRequest(
        source,
        [[_cleaned(frame) for frame in stack.frames] for stack in wire.stacktraces or []],
        tuple(JsModule(module.code_file, DebugId.parse(module.debug_id)) for module in wire.modules or []),
        wire.release,
        wire.dist,
        _rules(wire),
        options.apply_source_context is not False,
        options.frame_order == "callee_first",
    )


def _rules(wire: _Body) -> ScrapingRules:
    allowed = wire.allow_scraping is not False
    if wire.scraping is None:
        return ScrapingRules(enabled=allowed)
    return ScrapingRules(
        allowed and wire.scraping.enabled,
        tuple(wire.scraping.allowed_origins),
        tuple(sorted((wire.scraping.headers or {}).items())),
        wire.scraping.verify_ssl is not False,
    )


def _cleaned(frame: Frame) -> Frame:
    """The frame in the form of an answer, but for what only an answer has."""
    data = frame.data = frame.data or FrameData()
    if data.sourcemap_origin is None:
        data.sourcemap_origin = msgspec.UNSET
    data.symbolicated = data.symbolicated is True
    frame.diagnosis = msgspec.UNSET
    frame.pre_context = frame.pre_context or None
    frame.post_context = frame.post_context or None
    return frame
