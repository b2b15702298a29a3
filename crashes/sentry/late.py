"""Files for an event that came before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from crashes.accepting import NewAttachment, attach
from crashes.models import Attachment, Crash
from crashes.rules import Rules
from crashes.sentry.answers import BadReport
from crashes.sentry.reporting import report_bytes
from projects.models import Project

MOST_ATTACHMENTS: Final = 200


def attach_late(project: Project, rules: Rules, event_id: UUID | None, files: Sequence[NewAttachment]) -> None:
    """Store files of an envelope that has nothing else for the crash with this id; those that it has already are not.

    Raises BadReport (400 where the project has no such crash, 413 where it has enough), Refusal and BlobError.
    """
    crash = None if event_id is None else Crash.objects.filter(project=project, uuid=event_id).first()
    if crash is None:
        raise BadReport("attachments without an event, and no event with this id was here before")
    present = set(Attachment.objects.filter(crash=crash).values_list("name", "sha256"))
    fresh = [file for file in files if (file.name, file.incoming.finish().sha256) not in present]
    if len(present) + len(fresh) > MOST_ATTACHMENTS:
        raise BadReport(f"the event has {len(present)} attachments already", status=413)
    # With all that comes later a crash may have twice what it may have at first.
    if crash.stored_bytes + sum(file.incoming.size for file in fresh) > 2 * report_bytes(rules):
        raise BadReport("the event has as many bytes of attachments as it may", status=413)
    for file in fresh:
        attach(crash=crash, attachment=file)
