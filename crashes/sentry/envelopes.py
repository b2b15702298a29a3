"""`POST /api/{project}/envelope/`: what every client of Sentry sends today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from core.blobs import Incoming, blob_store
from core.wire.errors import BodyTooLarge
from crashes.accepting import NewAttachment
from crashes.limits.rates import demand_turn
from crashes.receiving import raw_body
from crashes.rules import Rules, default_rules, rules_lately_of
from crashes.sentry.admission import key_of, key_of_dsn, open_project
from crashes.sentry.answers import answering, stored
from crashes.sentry.collecting import Collected, Collector, is_kept
from crashes.sentry.envelope import Envelope, Item, open_envelope
from crashes.sentry.events import MOST_BYTES, EventFacts, event_id_of, read_event
from crashes.sentry.late import attach_late
from crashes.sentry.reporting import EVENT, EVENT_FILE, MINIDUMP, report_bytes, store
from projects.models import Project

# Headers, the event, and items that are passed over.
_AROUND_BYTES: Final = 4 << 20
_JSON: Final = "application/json"


@answering
def take_envelope(request: HttpRequest, project_id: str) -> HttpResponse:
    """Store the event or dump of an envelope with its attachments. Other items are passed over.

    A key in a header or the query is judged before anything of the body is read, one in the envelope's first line
    before anything else of it. Only envelopes with something to keep count against the rates.
    """
    number = int(project_id)
    key = key_of(request)
    project = None if key is None else open_project(key, number)
    chunks = _Bounded(request, project)
    envelope = open_envelope(chunks)
    if project is None:
        key = key_of_dsn(envelope.header.dsn, number)
        project = open_project(key, number)
        chunks.limit = report_bytes(rules_lately_of(project)) + _AROUND_BYTES
    kept = _kept(envelope)
    first = next(kept, None)
    event_id = event_id_of(envelope.header.event_id)
    if first is None:
        return stored(event_id)
    rules = demand_turn(project=project, caller=f"key {key}")
    with ExitStack() as stack:
        found = _collected(first, kept, Collector(stack, report_bytes(rules)))
        return stored(_Keeping(project, rules, stack, event_id).keep(found))


class _Bounded:
    """The unpacked body, of at most `limit` bytes: the project's, or before it is known the settings'."""

    def __init__(self, request: HttpRequest, project: Project | None) -> None:
        rules = default_rules() if project is None else rules_lately_of(project)
        self.limit = report_bytes(rules) + _AROUND_BYTES
        self._chunks = raw_body(request, self.limit)

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._chunks:
            size += len(chunk)
            if size > self.limit:
                raise BodyTooLarge(self.limit)
            yield chunk


class _Keeping:
    """Makes the crash of what one envelope brought."""

    def __init__(self, project: Project, rules: Rules, stack: ExitStack, event_id: UUID | None) -> None:
        self._project = project
        self._rules = rules
        self._stack = stack
        self._event_id = event_id

    def keep(self, found: Collected) -> UUID | None:
        """Store it; the event's id. Raises Refusal, BadReport and BlobError."""
        if not found.is_report:
            attach_late(self._project, self._rules, self._event_id, found.files)
            return self._event_id
        facts = EventFacts() if found.event is None else read_event(found.event)
        if found.dump is None:
            return self._store(EVENT, self._spooled(found.event or b"{}"), facts, found.files)
        files = list(found.files)
        if found.event is not None:
            files.append(NewAttachment(EVENT_FILE, self._spooled(found.event), content_type=_JSON))
        return self._store(MINIDUMP, found.dump, facts, files)

    def _store(self, format_: str, main: Incoming, facts: EventFacts, files: list[NewAttachment]) -> UUID:
        named = replace(facts, uuid=self._event_id or facts.uuid)
        return store(
            project=self._project, rules=self._rules, format_=format_, main=main, facts=named, attachments=files
        )

    def _spooled(self, data: bytes) -> Incoming:
        incoming = self._stack.enter_context(blob_store().incoming(MOST_BYTES, sha1=False))
        incoming.write(data)
        incoming.finish()
        return incoming


def _kept(envelope: Envelope) -> Iterator[Item]:
    return (item for item in envelope.items() if is_kept(item.head))


def _collected(first: Item, rest: Iterable[Item], collector: Collector) -> Collected:
    collector.take(first)
    for item in rest:
        collector.take(item)
    return collector.found
