"""`POST /api/{project}/minidump/`: a dump in a form, as Breakpad, Crashpad, Electron and Sentry's own send it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from core.blobs import Incoming, blob_store
from core.wire.multipart import PartHead
from crashes.accepting import NewAttachment
from crashes.limits.rates import demand_turn
from crashes.loose_json import BadJson
from crashes.receiving import ReceivedFile, Submission, received
from crashes.sentry.admission import key_of, open_project
from crashes.sentry.answers import BadReport, answering, stored_dump
from crashes.sentry.dumps import demand_dump, keep_dump, packing_of
from crashes.sentry.events import MOST_BYTES, read_event
from crashes.sentry.loosely import json_of
from crashes.sentry.messagepack import MOST_BYTES as MOST_PACKED_BYTES
from crashes.sentry.messagepack import objects_of
from crashes.sentry.metadata import event_of, merge, others
from crashes.sentry.reporting import EVENT_FILE, MINIDUMP, report_bytes, store
from crashes.submission.parts import as_attachments, report_bounds

_MAIN: Final = "upload_file_minidump"
_BREADCRUMBS: Final = ("__sentry-breadcrumb1", "__sentry-breadcrumb2")
_OWN: Final = (_MAIN, EVENT_FILE, *_BREADCRUMBS)
_PIECE_BYTES: Final = 256 << 10
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class _Came:
    """A form whose parts have found their place. `event` is JSON; None where nothing tells of one."""

    dump: Incoming
    event: bytes | None
    attachments: Sequence[NewAttachment]


@answering
def take_dump(request: HttpRequest, project_id: str) -> HttpResponse:
    """Store the dump in the form, or the body that is one."""
    key = key_of(request)
    project = open_project(key, int(project_id))
    rules = demand_turn(project=project, caller=f"key {key}")
    limit = report_bytes(rules)
    with ExitStack() as stack:
        form = stack.enter_context(received(request, is_file=_is_file, bounds=report_bounds(limit), sha1=False))
        came = _Sorting(stack, limit).sort(form)
        facts = read_event(came.event or b"{}")
        event_id = store(
            project=project,
            rules=rules,
            format_=MINIDUMP,
            main=came.dump,
            facts=facts,
            attachments=came.attachments,
            more=others(form.fields),
        )
    return stored_dump(event_id)


def _is_file(head: PartHead) -> bool:
    return head.filename is not None or head.name in _OWN


class _Sorting:
    """Finds what the parts of one form are. Files that it makes live as long as `stack`."""

    def __init__(self, stack: ExitStack, limit: int) -> None:
        self._stack = stack
        self._limit = limit

    def sort(self, form: Submission) -> _Came:
        """Raises BadReport (400) for a form without a dump, BodyError and BlobError."""
        main = next((file for file in form.files if file.part in (_MAIN, "")), None)
        if main is None or not main.incoming.size:
            raise BadReport(f"the form has no part {_MAIN}")
        dump = self._dump(main)
        others_ = [file for file in form.files if file is not main]
        event, used = _event(form, others_)
        attachments = list(as_attachments(iter([file for file in others_ if file not in used])))
        if event is not None:
            attachments.append(NewAttachment(EVENT_FILE, self._spooled(event), content_type=_JSON))
        return _Came(dump, event, attachments)

    def _dump(self, main: ReceivedFile) -> Incoming:
        if packing_of(main.incoming.path):
            return keep_dump(_pieces(main), self._stack.enter_context(blob_store().incoming(self._limit, sha1=False)))
        demand_dump(main.incoming.path)
        return main.incoming

    def _spooled(self, data: bytes) -> Incoming:
        incoming = self._stack.enter_context(blob_store().incoming(len(data), sha1=False))
        incoming.write(data)
        incoming.finish()
        return incoming


def _event(form: Submission, files: Sequence[ReceivedFile]) -> tuple[bytes | None, list[ReceivedFile]]:
    """The event that files and fields tell together, and the files that it is made of.

    What cannot be read, or is too large, stays a file like any other.
    """
    own = [file for file in files if file.part in (EVENT_FILE, *_BREADCRUMBS)]
    told = [(file, objects) for file in own if (objects := _objects(file))]
    events = [objects[0] for file, objects in told if file.part == EVENT_FILE]
    crumbs = [one for file, objects in told if file.part in _BREADCRUMBS for one in objects]
    found = events[0] if events else {}
    if crumbs:
        # Each file is written over in turn: either may be the older one.
        found["breadcrumbs"] = {"values": sorted(crumbs, key=lambda one: str(one.get("timestamp", "")))}
    merge(found, event_of(form.fields))
    return (_json_of(found), [file for file, _ in told]) if found else (None, [])


def _objects(file: ReceivedFile) -> list[dict[Any, Any]]:
    return objects_of(file.incoming.path.read_bytes()) if file.incoming.size <= MOST_PACKED_BYTES else []


def _json_of(event: dict[Any, Any]) -> bytes:
    try:
        data = json_of(event)
    except BadJson as error:
        raise BadReport(f"the event cannot be read: {error}") from None
    if len(data) > MOST_BYTES:
        raise BadReport(f"the event has more than {MOST_BYTES} bytes", status=413)
    return data


def _pieces(file: ReceivedFile) -> Iterator[bytes]:
    with file.incoming.path.open("rb") as opened:
        while piece := opened.read(_PIECE_BYTES):
            yield piece
