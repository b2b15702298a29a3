"""Crashes as objects: finding one, and its report as JSON and as text."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
import orjson

from crashes.answers import MALFORMED, Refusal
from crashes.models import Crash
from crashes.query.callstacks import callstack
from crashes.results import Frame, Result, Thread, stored_result
from projects.models import Project

_HEX: Final = re.compile("[0-9a-f]{1,15}")
_RXID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def missing(message: str) -> Refusal:
    """404."""
    return Refusal(404, MALFORMED, message)


def find(project: Project, named: str) -> Crash:
    """The crash of a project with this id: hex, or its `_rxid`. Raises Refusal (404), also for another project's."""
    text = named.strip().lower()
    found = Crash.objects.filter(project=project).select_related("group")
    crash = None
    if _RXID.fullmatch(text):
        crash = found.filter(rxid=text).first()
    elif _HEX.fullmatch(text):
        crash = found.filter(pk=int(text, 16)).first()
    if crash is None:
        raise missing("object: the project has no such crash")
    return crash


def as_json(crash: Crash) -> bytes:
    """A crash and what came of it, named as in the reports that clients send. Raises Refusal (404) before there is."""
    result = _result(crash)
    threads = {thread.id or str(number): _thread(thread) for number, thread in enumerate(result.threads)}
    main = result.crashed_thread
    report: dict[str, Any] = {
        "_rxid": crash.rxid,
        "object": crash.object_id,
        "uuid": str(crash.uuid) if crash.uuid else None,
        "timestamp": int((crash.occurred_at or crash.received_at).timestamp()),
        "lang": result.platform,
        "fingerprint": crash.fingerprint or None,
        "classifiers": crash.classifiers,
        "attributes": crash.attributes,
        "annotations": result.annotations,
        "threads": threads,
        "mainThread": next((name for name, each in zip(threads, result.threads, strict=False) if each is main), None),
        "callstack": orjson.loads(callstack(result) or "null"),
        "result": msgspec.to_builtins(result),
    }
    return orjson.dumps(report)


def as_text(crash: Crash) -> bytes:
    """The stacks of a crash for people. Raises Refusal (404) before there are any."""
    result = _result(crash)
    lines = [f"{crash.title or crash.rxid}", f"object: {crash.object_id}", f"_rxid: {crash.rxid}"]
    lines += [f"reason: {result.reason}"] if result.reason else []
    for number, thread in enumerate(result.threads):
        crashed = " (crashed)" if thread.crashed else ""
        lines += ["", f"thread {thread.id or number} {thread.name}".rstrip() + crashed]
        lines += [f"  {place} {_line(frame)}" for place, frame in enumerate(thread.frames)]
    return "\n".join(lines).encode("utf-8", "replace") + b"\n"


def _result(crash: Crash) -> Result:
    result = stored_result(crash)
    if result is None:
        raise missing(f"the crash has no result: it is {crash.get_state_display().lower()}")
    return result


def _thread(thread: Thread) -> dict[str, Any]:
    return {"name": thread.name, "fault": thread.crashed, "stack": [_frame(frame) for frame in thread.frames]}


def _frame(frame: Frame) -> dict[str, Any]:
    found = {
        "funcName": frame.function,
        "address": frame.instruction_addr,
        "library": frame.package or frame.module,
        "path": frame.abs_path or frame.filename,
        "line": frame.lineno,
        "column": frame.colno,
        "guessed_frame": True if frame.trust == "scan" else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _line(frame: Frame) -> str:
    place = f" ({frame.filename}:{frame.lineno})" if frame.filename and frame.lineno else ""
    return f"{frame.function or frame.instruction_addr or '?'}{place}"
