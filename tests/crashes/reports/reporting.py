"""Reports as rows and blobs, without the doors that they come through and the workers that look into them."""

from __future__ import annotations

import json
from typing import Any

from core.blobs import blob_store, own_key
from crashes.models import Crash
from crashes.reports import Outcome, examine
from crashes.results import Frame, Result, packed
from debugfiles.records.services import new_rxid
from engine.outgoing import Deadline
from projects.models import Project

LIMIT = 1 << 30


def report(project: Project, format: str, content: bytes | dict[str, Any], **fields: Any) -> Crash:
    """A crash whose report is `content`; `fields` are those of its row."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    key = own_key("crashes")
    with blob_store().incoming(LIMIT) as incoming:
        incoming.write(data)
        digests = incoming.finish()
        blob_store().keep(incoming, key)
    return Crash.objects.create(
        project=project,
        rxid=new_rxid(),
        format=format,
        door="backtrace",
        blob_key=key,
        size=digests.size,
        sha256=digests.sha256,
        stored_bytes=digests.size,
        **fields,
    )


def examined(project: Project, format: str, content: bytes | dict[str, Any], **fields: Any) -> Outcome:
    """What comes of a report that is looked into at once."""
    return examine(report(project, format, content, **fields), Deadline.after(120))


def crashed(result: Result) -> list[Frame]:
    thread = result.crashed_thread
    assert thread is not None
    return thread.frames


def everything(outcome: Outcome) -> str:
    """All that would be stored of an outcome, as text."""
    assert packed(outcome.result)
    import msgspec

    return msgspec.json.encode(outcome.result).decode() + repr(outcome.facts) + repr(outcome.lacks)
