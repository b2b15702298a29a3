"""Frames of the JVM: classes and methods whose names a build made short."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from crashes.again.lacks import Lack, LackKind
from crashes.reports.context import Context
from crashes.reports.material import Given, GivenStack, Kind, Material
from crashes.results import Failure, Frame
from engine.jvm.wire import JvmError, JvmException, JvmFrame, decode_jvm_request
from engine.modules import ModuleType
from engine.outgoing import Deadline
from symbolication import stored

_FOUND: Final = "symbolicated"


class _Stack(msgspec.Struct):
    frames: list[JvmFrame]


class _Answer(msgspec.Struct):
    exceptions: list[JvmException]
    stacktraces: list[_Stack]
    errors: list[JvmError]


_decoder: Final = msgspec.json.Decoder(_Answer)


def symbolicate_jvm(material: Material, context: Context, deadline: Deadline) -> list[Lack]:
    """Give frames and exceptions the names that were written; what was lacking for that. Raises DeadlineExceeded."""
    modules = [{"uuid": str(uuid), "type": "proguard"} for uuid in material.mappings]
    modules += [{"uuid": str(uuid), "type": "source"} for uuid in material.bundles]
    request = {
        "modules": modules,
        "exceptions": [{"type": one.type, "module": one.module} for one in material.failures],
        "stacktraces": [_asked_stack(stack) for stack in material.stacks],
        "options": {"frame_order": "callee_first"},
    }
    decoded = decode_jvm_request(msgspec.json.encode(request), stored=True)
    answer = _decoder.decode(stored.jvm(context.access, decoded, deadline).body)
    for stack, answered in zip(material.stacks, answer.stacktraces, strict=True):
        _fill(stack, answered.frames)
    for failure, found in zip(material.failures, answer.exceptions, strict=True):
        _rename(failure, found)
    return [_lack(error) for error in answer.errors]


def _asked_stack(stack: GivenStack) -> dict[str, Any]:
    return {"frames": [_asked(at, given.frame) for at, given in stack.of_kind(Kind.JVM)]}


def _asked(at: int, frame: Frame) -> dict[str, Any]:
    asked = {
        "index": at,
        "function": frame.function or "",
        "module": frame.module or "",
        "filename": frame.filename,
        "abs_path": frame.abs_path,
        "lineno": frame.lineno,
        "in_app": frame.in_app,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _fill(stack: GivenStack, answered: list[JvmFrame]) -> None:
    by_place: dict[int, list[JvmFrame]] = {}
    for frame in answered:
        by_place.setdefault(frame.index, []).append(frame)
    for at, given in stack.of_kind(Kind.JVM):
        given.made = _made(by_place.get(at, []), given)


def _made(answered: list[JvmFrame], given: Given) -> list[Frame]:
    last = len(answered) - 1
    return [_frame(frame, given.frame, inline=at < last) for at, frame in enumerate(answered)]


def _frame(answered: JvmFrame, sent: Frame, *, inline: bool) -> Frame:
    around = answered if answered.context_line is not None else sent
    renamed = (answered.module, answered.function) != (sent.module, sent.function)
    return Frame(
        str(answered.diagnosis.get("verdict", "missing")) if answered.diagnosis else _FOUND,
        answered.function,
        module=answered.module,
        filename=answered.filename or sent.filename,
        abs_path=answered.abs_path or sent.abs_path,
        lineno=answered.lineno,
        inline=inline,
        in_app=sent.in_app,
        pre_context=around.pre_context or [],
        context_line=around.context_line,
        post_context=around.post_context or [],
        raw_function=f"{sent.module}.{sent.function}" if renamed else None,
        diagnosis=answered.diagnosis,
    )


def _rename(failure: Failure, found: JvmException) -> None:
    failure.type, failure.module = found.type, found.module


def _lack(error: JvmError) -> Lack:
    module = {"type": ModuleType.UNKNOWN.value, "debug_id": str(error.uuid)}
    invalid = error.type == "invalid"
    return Lack(
        LackKind.MAPPING,
        "mapping.txt",
        debug_id=str(error.uuid),
        debug_uuid=error.uuid,
        module=module,
        cause="The mapping is stored and cannot be read." if invalid else "No source has the mapping of this build.",
        remedy="Upload the mapping.txt of this build under that id.",
    )
