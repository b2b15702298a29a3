"""From a report as it came to what is stored about it: symbolicated, scrubbed, and with what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from crashes.models import Crash
from crashes.reports.context import Context
from crashes.reports.dumps import examine_apple, examine_minidump
from crashes.reports.events import examine_event
from crashes.reports.json_reports import examine_json
from crashes.reports.model import Facts, Outcome, UnreadableReport
from crashes.reports.sent import Sent
from engine.outgoing import Deadline

__all__ = ["Facts", "Outcome", "Sent", "UnreadableReport", "examine", "look_into"]

_EXAMINERS: Final[Mapping[str, Callable[[Sent, Context, Deadline], Outcome]]] = {
    "event": examine_event,
    "json": examine_json,
    "minidump": examine_minidump,
    "plcrash": examine_apple,
}


def examine(crash: Crash, deadline: Deadline) -> Outcome:
    """What a crash's report says, symbolicated with the project's sources as they are now.

    Raises UnreadableReport for what no retry helps, DeadlineExceeded, and for what a retry may help BlobError, OSError
    and what the database raises.
    """
    return look_into(Sent.of(crash, deadline), crash.project_id, deadline)


def look_into(sent: Sent, project_id: int, deadline: Deadline) -> Outcome:
    """What a report says, be it stored or not. Raises as `examine`."""
    look = _EXAMINERS.get(sent.format)
    if look is None:
        raise UnreadableReport("Reports of this format cannot be read.")
    return look(sent, Context.of(project_id), deadline)
