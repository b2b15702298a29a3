"""From a minified frame to the original one."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

from engine.javascript.answers import ErrorType, FrameError, location_error
from engine.javascript.diagnosis import Verdict
from engine.javascript.maps import NO_TOKEN, Position, Token
from engine.javascript.names import function_name, place_source
from engine.javascript.scripts import Script, is_disabled
from engine.javascript.wire import Frame, FrameData

_ASYNC = "async "


@dataclass(slots=True)
class Pass:
    """One frame on its way: as it came, as it is answered, what was wrong, and why.

    `token` is set once the frame is symbolicated; `source_wanted` is where the text of its source has to be had.
    """

    raw: Frame
    script: Script | None
    frame: Frame
    error: FrameError | None = None
    verdict: Verdict | None = None
    token: Token | None = None
    source_wanted: str | None = None

    @classmethod
    def begin(cls, raw: Frame, script: Script | None) -> Pass:
        return cls(raw, script, raw)

    def position(self) -> Position:
        return position_of(self.raw)


def position_of(frame: Frame) -> Position:
    """Line and column, 1-based; column 0 and no column count as 1."""
    return frame.lineno, max(frame.colno or 0, 1)


def minified_position(frame: Frame) -> Position:
    """Where the context of the minified line is, in which a column of 0 stands for none."""
    return frame.lineno, frame.colno or 0


def cleaned(frame: Frame) -> Frame:
    """The frame without what engines put in front of the paths of asynchronous calls."""
    frame.abs_path = frame.abs_path.removeprefix(_ASYNC)
    return frame


def symbolicate_stack(passes: list[Pass], *, with_context: bool) -> None:
    """Bring the frames of one stack, the caller first, to their end: what a caller calls names the frame it called."""
    called_as: str | None = None
    for step in passes:
        _symbolicate(step, called_as, with_context=with_context)
        called_as = step.token.name if step.token else None


def _symbolicate(step: Pass, called_as: str | None, *, with_context: bool) -> None:
    script = step.script
    if script is None:
        error = location_error(step.raw.abs_path, step.raw.lineno, step.raw.colno)
        _fail(step, error, Verdict.NO_LINE)
    elif script.failure is not None:
        kind = ErrorType.SCRAPING_DISABLED if is_disabled(script.failure) else ErrorType.MISSING_SOURCE
        _fail(step, FrameError(step.raw.abs_path, kind), Verdict.SCRIPT_MISSING)
    else:
        untouched = _copied(step.raw)
        if with_context:
            _add_minified_context(step, script)
        step.frame = untouched
        _map_back(step, script, called_as, with_context=with_context)


def _map_back(step: Pass, script: Script, called_as: str | None, *, with_context: bool) -> None:
    if not script.has_reference:
        step.verdict = Verdict.NO_MAP_REFERENCE
    elif script.map_failure is not None:
        _fail_by_map(step, script)
    else:
        token = script.tokens.get(step.position(), NO_TOKEN)
        if token is NO_TOKEN:
            error = location_error(step.raw.abs_path, step.raw.lineno, step.raw.colno or 0)
            _fail(step, error, Verdict.NO_TOKEN)
        else:
            _apply(step, script, token, called_as)
            if with_context:
                _add_context(step, script, token)


def _fail(step: Pass, error: FrameError, verdict: Verdict) -> None:
    step.frame = _copied(step.raw)
    step.error, step.verdict = error, verdict


def _fail_by_map(step: Pass, script: Script) -> None:
    path = step.raw.abs_path
    if script.malformed_map:
        if script.source_map is not None and step.raw.data is not None:
            step.raw.data.resolved_with = script.source_map.resolved_with
            step.raw.data.sourcemap_origin = script.source_map.origin
        error = FrameError(path, ErrorType.MALFORMED_SOURCEMAP, (("url", script.base),))
        _fail(step, error, Verdict.MAP_MALFORMED)
    elif is_disabled(script.map_failure):
        _fail(step, FrameError(path, ErrorType.SCRAPING_DISABLED), Verdict.MAP_MISSING)
    else:
        _fail(step, FrameError(path, ErrorType.MISSING_SOURCEMAP), Verdict.MAP_MISSING)


def _apply(step: Pass, script: Script, token: Token, called_as: str | None) -> None:
    frame, found = step.frame, script.source_map
    step.token = token
    if found is not None:
        frame.data = FrameData(script.base, found.origin, found.resolved_with, symbolicated=True)
    frame.function = function_name(token.scope, token.name, called_as, step.raw.function)
    if token.source:
        place_source(frame, script.base, token.source)
    frame.lineno, frame.colno = token.line, token.column


def _add_context(step: Pass, script: Script, token: Token) -> None:
    if token.context is not None:
        token.context.put_into(step.frame)
    elif token.has_content:
        step.verdict = Verdict.LINE_OUT_OF_RANGE
    elif token.source:
        step.source_wanted = step.frame.abs_path


def _add_minified_context(step: Pass, script: Script) -> None:
    context = script.contexts.get(minified_position(step.raw))
    if context is not None:
        context.put_into(step.raw)


def missing_content(step: Pass) -> FrameError:
    """The error of a frame whose source has a name and no text anywhere."""
    base = step.script.base if step.script else ""
    fields = (("source", step.source_wanted or ""), ("sourcemap", base))
    return FrameError(step.raw.abs_path, ErrorType.MISSING_SOURCE_CONTENT, fields)


def _copied(frame: Frame) -> Frame:
    made = copy(frame)
    made.data = copy(frame.data)
    return made
