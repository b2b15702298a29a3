"""From what a client sent to the crash that it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from core.blobs import Incoming
from crashes.accepting import NewAttachment, Report, accept
from crashes.rules import Rules
from crashes.scrubbing import scrub_attributes
from crashes.sentry.events import EventFacts
from projects.models import Project

DOOR: Final = "sentry"
EVENT: Final = "event"
MINIDUMP: Final = "minidump"
# The event that came beside a dump is kept under the name that native clients give it.
EVENT_FILE: Final = "__sentry-event"
# Where neither the project nor the settings limit the size of reports.
UNLIMITED_BYTES: Final = 1 << 40


def store(
    *,
    project: Project,
    rules: Rules,
    format_: str,
    main: Incoming,
    facts: EventFacts,
    attachments: Sequence[NewAttachment] = (),
    more: Mapping[str, Any] | None = None,
) -> UUID:
    """Store a report; its event id, which is a new one where it has none. `more` gives way to the event's attributes.

    Raises Refusal (400 where another report has the id) and BlobError.
    """
    uuid = facts.uuid or uuid4()
    report = Report(
        format=format_,
        door=DOOR,
        main=main,
        attachments=attachments,
        attributes=scrub_attributes({**facts.attributes, **_beside(more or {}, facts)}, rules.secret_names),
        classifiers=facts.classifiers,
        modifiers={"fingerprint": list(facts.fingerprint)} if facts.fingerprint else {},
        uuid=uuid,
        own_uuid=facts.uuid is None,
        occurred_at=facts.occurred_at,
        client_fingerprint=facts.client_fingerprint,
    )
    accept(project=project, report=report)
    return uuid


def _beside(more: Mapping[str, Any], facts: EventFacts) -> dict[str, Any]:
    return {name: value for name, value in more.items() if name not in facts.attributes}


def report_bytes(rules: Rules) -> int:
    """What a report may have, with what comes beside it."""
    return rules.report_bytes or UNLIMITED_BYTES
