"""Taking a report in: blobs first, durably, then one statement with the row.

After `accept` returns the report survives whatever is killed. Before that nothing refers to it: what lies in the store
without a row is swept away after a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from core.blobs import BlobError, Incoming, blob_store, own_key
from core.postgresql.direct import first_row
from core.text import storable
from crashes.answers import UNAVAILABLE, Refusal, invalid_token, malformed
from crashes.models import Attachment, Crash
from crashes.models.crash import TEXT_LENGTH
from crashes.storing import crash_of, insert_crash
from debugfiles.records.services import new_rxid
from projects.models import Project

ROOM: Final = "crashes"
KEPT_FORMATS: Final = frozenset({"btt"})
_CONTENT_TYPE_LENGTH: Final = 200
_TRIES: Final = 3

# Nearly always there is none, which needs no model to say so.
_KNOWN: Final = "SELECT 1 FROM crashes_crash WHERE project_id = %s AND uuid = %s"

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A file beside a report. Names are cut and made storable when it is kept."""

    name: str
    incoming: Incoming
    filename: str = ""
    content_type: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a client sent, judged to be of its format. `attributes` are scrubbed and bounded already.

    `own_uuid`: the `uuid` was made here, just now, so that there is none before it.
    """

    format: str
    door: str
    main: Incoming
    attachments: Sequence[NewAttachment] = ()
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    classifiers: Sequence[str] = ()
    modifiers: Mapping[str, Any] = field(default_factory=dict)
    uuid: UUID | None = None
    own_uuid: bool = False
    occurred_at: datetime | None = None
    client_fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The crash that a report became, by its id for clients; `known` when the same one had come before by its uuid."""

    rxid: str
    known: bool
    _crash: Callable[[], Crash]

    @property
    def crash(self) -> Crash:
        """The crash itself, which most who send never ask for."""
        return self._crash()


def accept(*, project: Project, report: Report) -> Accepted:
    """Store a report and have it processed.

    A report with the uuid of one that is there is answered with that one when both are equal. Raises Refusal (400) when
    they are not, and 403 when the project is deleted meanwhile; BlobError when it cannot be stored.
    """
    earlier = None if report.own_uuid else _earlier(project, report)
    if earlier is not None:
        return earlier
    keys = _keep([report.main, *(one.incoming for one in report.attachments)])
    for _ in range(_TRIES):
        try:
            if (made := _create(project, report, keys)) is not None:
                return made
        except IntegrityError:
            _delete(keys)
            _demand_project(project)
            raise
        # The same report came twice at once. The other one is committed by now: the clash waited for that. It may be
        # deleted again as quickly.
        if (known := _instead(project, report, keys)) is not None:
            return known
    _delete(keys)
    raise Refusal(503, UNAVAILABLE, "uuid: another report with it comes and goes")


def attach(*, crash: Crash, attachment: NewAttachment) -> Attachment:
    """Store a file for a crash that is there already.

    Raises BlobError, and Refusal (400) when the crash is deleted meanwhile.
    """
    (key,) = _keep([attachment.incoming])
    row = _attachment(crash.pk, attachment, key)
    with transaction.atomic():
        # Who deletes the crash holds its row: either this file is seen there, or the crash is not seen here.
        if Crash.objects.filter(pk=crash.pk).update(stored_bytes=F("stored_bytes") + row.size):
            row.save()
            return row
    _delete([key])
    raise malformed("object: there is no such report")


def _instead(project: Project, report: Report, keys: Sequence[str]) -> Accepted | None:
    """The crash that has the report's uuid; what was stored for the report goes then, and when that is another one."""
    try:
        known = _earlier(project, report)
    except Refusal:
        _delete(keys)
        raise
    if known is not None:
        _delete(keys)
    return known


def _demand_project(project: Project) -> None:
    if not Project.objects.filter(pk=project.pk).exists():
        raise invalid_token("invalid token: its project is deleted")


def _earlier(project: Project, report: Report) -> Accepted | None:
    if report.uuid is None or first_row(_KNOWN, [project.pk, report.uuid]) is None:
        return None
    found = Crash.objects.filter(project=project, uuid=report.uuid).first()
    if found is None:
        return None
    if found.sha256 != report.main.finish().sha256:
        raise malformed("uuid: there is another report with this uuid")
    return Accepted(found.rxid, True, lambda: found)


def _keep(incomings: Iterable[Incoming]) -> list[str]:
    """Store contents under keys of their own: all of them, or none."""
    keys: list[str] = []
    try:
        for incoming in incomings:
            keys.append(own_key(ROOM))
            blob_store().keep(incoming, keys[-1])
    except BlobError:
        _delete(keys[:-1])
        raise
    return keys


def _delete(keys: Iterable[str]) -> None:
    """Best effort: what is left is swept away."""
    for key in keys:
        with suppress(BlobError):
            blob_store().delete(key)


def _create(project: Project, report: Report, keys: Sequence[str]) -> Accepted | None:
    """The rows of a report, in one transaction; None when there is one of its uuid."""
    values = _values(project, report, keys[0])
    id_ = _create_with_files(values, report.attachments, keys[1:]) if report.attachments else insert_crash(values)
    return None if id_ is None else Accepted(values["rxid"], False, partial(crash_of, id_, values))


def _create_with_files(
    values: Mapping[str, Any], attachments: Sequence[NewAttachment], keys: Sequence[str]
) -> int | None:
    with transaction.atomic():
        id_ = insert_crash(values)
        if id_ is not None:
            files = zip(attachments, keys, strict=True)
            Attachment.objects.bulk_create([_attachment(id_, one, key) for one, key in files])
    return id_


def _values(project: Project, report: Report, key: str) -> dict[str, Any]:
    digests = report.main.finish()
    return {
        "project_id": project.pk,
        "rxid": new_rxid(),
        "uuid": report.uuid,
        "format": report.format,
        "door": report.door,
        "occurred_at": report.occurred_at,
        "blob_key": key,
        "size": digests.size,
        "sha256": digests.sha256,
        "stored_bytes": digests.size + sum(one.incoming.size for one in report.attachments),
        "attributes": dict(report.attributes),
        "classifiers": list(report.classifiers),
        "modifiers": dict(report.modifiers),
        "client_fingerprint": report.client_fingerprint,
        "state": (Crash.State.KEPT if report.format in KEPT_FORMATS else Crash.State.PENDING).value,
    }


def _attachment(crash_id: int, attachment: NewAttachment, key: str) -> Attachment:
    digests = attachment.incoming.finish()
    return Attachment(
        crash_id=crash_id,
        name=storable(attachment.name)[:TEXT_LENGTH],
        filename=storable(attachment.filename)[:TEXT_LENGTH],
        content_type=storable(attachment.content_type)[:_CONTENT_TYPE_LENGTH],
        blob_key=key,
        size=digests.size,
        sha256=digests.sha256,
        inline=attachment.inline,
    )
