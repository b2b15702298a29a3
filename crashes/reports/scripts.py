"""Frames of JavaScript: positions in scripts that a build made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from crashes.again.lacks import Lack, LackKind
from crashes.reports.context import Context
from crashes.reports.material import Given, Kind, Material
from crashes.results import Frame
from crashes.scrubbing import scrub, scrub_text
from engine.javascript.wire import decode_js_request
from engine.modules import DebugId
from engine.outgoing import Deadline
from symbolication import stored

_FOUND: Final = "symbolicated"
# What an upload would mend.
_LACKING: Final = frozenset({"script_missing", "no_map_reference", "map_missing", "map_malformed", "source_missing"})


class _Data(msgspec.Struct):
    symbolicated: bool = False


class _Answered(msgspec.Struct):
    abs_path: str | None = None
    lineno: int | None = None
    colno: int | None = None
    function: str | None = None
    filename: str | None = None
    module: str | None = None
    pre_context: list[str] = []
    context_line: str | None = None
    post_context: list[str] = []
    data: _Data | None = None
    diagnosis: dict[str, Any] | None = None


class _Stack(msgspec.Struct):
    frames: list[_Answered]


class _Answer(msgspec.Struct):
    stacktraces: list[_Stack]


_decoder: Final = msgspec.json.Decoder(_Answer)


def symbolicate_scripts(material: Material, context: Context, deadline: Deadline) -> list[Lack]:
    """Name the frames of scripts in terms of their sources; what was lacking for that. Raises DeadlineExceeded."""
    chosen = [[given for _, given in stack.of_kind(Kind.JAVASCRIPT)] for stack in material.stacks]
    request = {
        "stacktraces": [{"frames": [_asked(given.frame) for given in own]} for own in chosen],
        "modules": [
            {"type": "sourcemap", "code_file": path, "debug_id": debug_id}
            for path, debug_id in material.scripts.items()
        ],
        "release": material.release or None,
        "dist": material.dist or None,
        "options": {"frame_order": "callee_first"},
    }
    decoded = decode_js_request(msgspec.json.encode(request), stored=True)
    answer = _decoder.decode(stored.javascript(context.access, decoded, deadline).body)
    lacks: dict[str, Lack] = {}
    for stack, own in zip(answer.stacktraces, chosen, strict=True):
        for answered, given in zip(stack.frames, own, strict=True):
            for lack in _lacks(answered, given, material):
                lacks.setdefault(lack.key, lack)
            given.made = [_made(answered, given.frame)]
    return list(lacks.values())


def _asked(frame: Frame) -> dict[str, Any]:
    asked = {
        "abs_path": frame.abs_path or "",
        "lineno": frame.lineno or 0,
        "colno": frame.colno,
        "function": frame.function,
        "filename": frame.filename,
        "module": frame.module,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _made(answered: _Answered, sent: Frame) -> Frame:
    """The frame in terms of its sources; the client's lines around it stay where there are no better ones."""
    named = answered.data is not None and answered.data.symbolicated
    verdict = answered.diagnosis.get("verdict") if answered.diagnosis else None
    function = answered.function or sent.function
    around = answered if answered.context_line is not None else sent
    return Frame(
        _FOUND if named and verdict is None else str(verdict or "missing"),
        function,
        module=answered.module or sent.module,
        filename=answered.filename or sent.filename,
        abs_path=answered.abs_path or sent.abs_path,
        lineno=sent.lineno if answered.lineno is None else answered.lineno,
        colno=sent.colno if answered.colno is None else answered.colno,
        in_app=sent.in_app,
        pre_context=around.pre_context,
        context_line=around.context_line,
        post_context=around.post_context,
        raw_function=sent.function if sent.function != function else None,
        diagnosis=scrub(answered.diagnosis) if answered.diagnosis else None,
    )


def _lacks(answered: _Answered, given: Given, material: Material) -> Iterator[Lack]:
    said = answered.diagnosis or {}
    if said.get("verdict") not in _LACKING:
        return
    path = given.frame.abs_path or ""
    debug_id = DebugId.parse(material.scripts.get(path, ""))
    if debug_id is None and not material.release:
        return
    yield Lack(
        LackKind.SOURCE_MAP,
        scrub_text(path),
        debug_id="" if debug_id is None else str(debug_id),
        debug_uuid=None if debug_id is None else debug_id.uuid,
        release=material.release,
        dist=material.dist,
        cause=str(said.get("text", "")),
        remedy=str(said.get("remedy", "")),
    )
