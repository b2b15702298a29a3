"""Symbolicating what was handed over, with the project's sources as they are now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import msgspec

from crashes.pages.now.given import Given, NotReadable, What, find_out
from crashes.pages.now.texts import debugger_event, jvm_event, script_event
from crashes.reports import Sent, UnreadableReport, look_into
from crashes.reports.answers import read_answer
from crashes.reports.context import Context
from crashes.reports.dumps import native_result
from crashes.results import Result
from engine.decoding import BadJson, BadSchema
from engine.native.wire import decode_request
from engine.outgoing import Deadline
from projects.access import ProjectAccess
from symbolication import stored

_FORMATS: Final[Mapping[What, str]] = {
    What.MINIDUMP: "minidump",
    What.APPLE: "plcrash",
    What.BACKTRACE: "json",
    What.EVENT: "event",
}
_READERS: Final[Mapping[What, Callable[[Given], dict[str, Any]]]] = {
    What.JAVASCRIPT: script_event,
    What.JVM: jvm_event,
    What.DEBUGGER: debugger_event,
}


def look(access: ProjectAccess, given: Given, deadline: Deadline) -> tuple[What, Result]:
    """What it was taken for, and what came of it. Raises NotReadable, OSError and DeadlineExceeded."""
    what = find_out(given.content) if given.what is What.AUTO else given.what
    if what is What.STACKS:
        return what, _stacks(access, given, deadline)
    content, format = given.content, _FORMATS.get(what, "event")
    if what in _READERS:
        content = memoryview(msgspec.json.encode(_READERS[what](given)))
    sent = Sent(format, len(content), partial(_lent, content))
    try:
        return what, look_into(sent, access.project.pk, deadline).result
    except UnreadableReport as error:
        raise NotReadable(error.message) from None


def _stacks(access: ProjectAccess, given: Given, deadline: Deadline) -> Result:
    try:
        request = decode_request(given.text().encode())
    except (BadJson, BadSchema) as error:
        raise NotReadable(f"The stacks cannot be read: {error.message}") from None
    if request.sources is not None:
        raise NotReadable("sources: the project's own sources are asked; leave this member out.")
    answer = read_answer(stored.native(access, request, deadline).body)
    return native_result(answer, Context.of(access.project.pk))


@contextmanager
def _lent(content: memoryview) -> Iterator[memoryview]:
    yield content
