"""Call stacks of crashes, from their results."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import orjson

from crashes.models import CrashResult
from crashes.results import Result, unpacked

_MOST_FRAMES = 100


def callstacks(crash_ids: Collection[int]) -> Mapping[int, str]:
    """The stack of the thread that crashed, as the JSON text that clients know, of crashes that have one."""
    found = CrashResult.objects.filter(pk__in=crash_ids).values_list("pk", "body")
    texts = {pk: callstack(unpacked(body)) for pk, body in found.iterator(100)}
    return {pk: text for pk, text in texts.items() if text}


def callstack(result: Result) -> str:
    """Names of functions, innermost first, addresses where there is none; empty without a stack."""
    thread = result.crashed_thread
    if thread is None or not thread.frames:
        return ""
    names = [frame.function or frame.instruction_addr or "" for frame in thread.frames[:_MOST_FRAMES]]
    return orjson.dumps({"frame": names}).decode()
