"""What the endpoints answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from core.openapi import ArrayOf
from crashes.grouping.parts import Part
from crashes.models import Attachment, Crash, Group, LackedFile, Rerun


class CrashSummary(msgspec.Struct, rename="camel", kw_only=True):
    """A crash in a list. `id` is its number, `rxid` the id that its client was given.

    `state`: pending, running, done, set_aside (processing failed each time) or kept (of a format that nobody reads).
    What processing finds out is empty before. `unnamedCount`: frames that should have a name and have none.
    """

    id: str
    rxid: str
    uuid: str | None
    format: str
    door: str
    state: str
    title: str
    culprit: str
    platform: str
    version: str
    os_name: str
    arch: str
    group_id: str | None
    date_received: datetime
    date_occurred: datetime | None
    size: int
    frame_count: int
    unnamed_count: int


class CrashSummaries(ArrayOf):
    item = CrashSummary


class CrashGroupSummary(msgspec.Struct, rename="camel", kw_only=True):
    """A group in a list. `count` is how many crashes there were, those deleted since included.

    `dateRegressed` and `regressedVersion`: of the crash that last opened the group after it had been resolved.
    """

    id: str
    fingerprint: str
    title: str
    culprit: str
    state: str
    count: int
    first_seen: datetime
    last_seen: datetime
    date_resolved: datetime | None
    date_regressed: datetime | None
    regressed_version: str


class CrashGroupSummaries(ArrayOf):
    item = CrashGroupSummary


class DayCount(msgspec.Struct):
    """Crashes received on a day (UTC)."""

    day: date
    count: int


class CrashGroupDetails(CrashGroupSummary, kw_only=True):
    """`versions` and `platforms` count the crashes by these, of many the commonest; `days` are the last 30."""

    versions: dict[str, int]
    platforms: dict[str, int]
    days: list[DayCount]
    newest_crash: CrashSummary | None


class LackedFileSummary(msgspec.Struct, rename="camel", kw_only=True):
    """A file that was asked for in vain, and by what it would be found; `cause` and `remedy` say why and what to do."""

    kind: str
    name: str
    debug_id: str
    code_id: str
    release: str
    dist: str
    cause: str
    remedy: str
    next_probe: datetime | None


class GroupedBy(msgspec.Struct):
    """Why a crash is in its group: what counts for its fingerprint, in order. What it is, is `kind`.

    `current` is false where the crash would come into another group today: grouping again moves it.
    """

    fingerprint: str
    current: bool
    parts: list[Part]


class CrashDetails(CrashSummary, kw_only=True):
    """A crash with all that is known of it but its stacks, which the result has.

    `problem` is why the last try failed; `attempts` are the tries since it began to wait. `lacks`: the first 200.
    """

    attributes: dict[str, Any]
    classifiers: list[str]
    attempts: int
    problem: str
    date_processed: datetime | None
    has_result: bool
    stored_bytes: int
    sha256: str
    attachment_count: int
    group: CrashGroupSummary | None
    grouped_by: GroupedBy | None
    lacks: list[LackedFileSummary]


class CrashAttachment(msgspec.Struct, rename="camel", kw_only=True):
    """A file that came with a crash, or for it later. `inline`: it was part of the report itself."""

    id: str
    name: str
    filename: str
    content_type: str
    size: int
    sha256: str
    inline: bool
    date_received: datetime


class CrashAttachments(ArrayOf):
    item = CrashAttachment


class RegroupRun(msgspec.Struct, rename="camel", kw_only=True):
    """A run over the crashes of a project: `done` of `total` were looked at. `state`: running, done or cancelled."""

    id: str
    state: str
    reason: str
    done: int
    total: int
    date_created: datetime
    date_finished: datetime | None


def crash_values(row: Crash) -> dict[str, Any]:
    """The fields of a CrashSummary."""
    return {
        "id": str(row.pk),
        "rxid": row.rxid,
        "uuid": None if row.uuid is None else str(row.uuid),
        "format": row.format,
        "door": row.door,
        "state": row.state,
        "title": row.title,
        "culprit": row.culprit,
        "platform": row.platform,
        "version": row.version,
        "os_name": row.os_name,
        "arch": row.arch,
        "group_id": None if row.group_id is None else str(row.group_id),
        "date_received": row.received_at,
        "date_occurred": row.occurred_at,
        "size": row.size,
        "frame_count": row.frame_count,
        "unnamed_count": row.unnamed_count,
    }


def group_values(row: Group) -> dict[str, Any]:
    """The fields of a CrashGroupSummary."""
    return {
        "id": str(row.pk),
        "fingerprint": row.fingerprint,
        "title": row.title,
        "culprit": row.culprit,
        "state": row.state,
        "count": row.count,
        "first_seen": row.first_seen,
        "last_seen": row.last_seen,
        "date_resolved": row.resolved_at,
        "date_regressed": row.regressed_at,
        "regressed_version": row.regressed_version,
    }


def lacks_shown(rows: Sequence[LackedFile]) -> list[LackedFileSummary]:
    """Lacked files as they are answered."""
    return [
        LackedFileSummary(
            kind=row.kind,
            name=row.name,
            debug_id=row.debug_id,
            code_id=row.code_id,
            release=row.release,
            dist=row.dist,
            cause=row.cause,
            remedy=row.remedy,
            next_probe=row.next_probe_at,
        )
        for row in rows
    ]


def attachment_shown(row: Attachment) -> CrashAttachment:
    """An attachment as it is answered."""
    return CrashAttachment(
        id=str(row.pk),
        name=row.name,
        filename=row.filename,
        content_type=row.content_type,
        size=row.size,
        sha256=row.sha256,
        inline=row.inline,
        date_received=row.received_at,
    )


def run_shown(row: Rerun) -> RegroupRun:
    """A run as it is answered."""
    return RegroupRun(
        id=str(row.pk),
        state=row.state,
        reason=row.reason,
        done=row.queued,
        total=row.total,
        date_created=row.created_at,
        date_finished=row.finished_at,
    )
