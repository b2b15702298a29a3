"""Crashes as rows and blobs, without anybody having sent them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from core.blobs import blob_store, own_key
from crashes.accepting import ROOM, NewAttachment, Report, accept, attach
from crashes.models import Attachment, Crash, CrashResult, Group
from crashes.results import Result, packed
from debugfiles.records.services import new_rxid


def keep(content: bytes) -> str:
    key = own_key(ROOM)
    with blob_store().incoming(1 << 30) as incoming:
        incoming.write(content)
        blob_store().keep(incoming, key)
    return key


def make_crash(project, content: bytes = b"MDMP", *, days_old: float = 0, **columns) -> Crash:
    """A crash that is done with unless `state` says otherwise, received `days_old` days ago."""
    values = {
        "rxid": new_rxid(),
        "format": "minidump",
        "door": "backtrace",
        "received_at": timezone.now() - timedelta(days=days_old),
        "blob_key": keep(content),
        "size": len(content),
        "sha256": "0" * 64,
        "stored_bytes": len(content),
        "state": Crash.State.DONE,
    }
    return Crash.objects.create(project=project, **values | columns)


def add_attachment(crash, name: str = "log.txt", content: bytes = b"line\n", **columns) -> Attachment:
    key = keep(content)
    return Attachment.objects.create(
        crash=crash, name=name, blob_key=key, size=len(content), sha256="0" * 64, **columns
    )


def add_result(crash, result: Result) -> CrashResult:
    return CrashResult.objects.create(crash=crash, body=packed(result))


def make_group(project, fingerprint: str = "f" * 64, *, days_old: float = 0, **columns) -> Group:
    seen = timezone.now() - timedelta(days=days_old)
    values = {"first_seen": seen, "last_seen": seen, "count": 1}
    return Group.objects.create(project=project, fingerprint=fingerprint, **values | columns)


def submit(project, content: bytes, **values) -> Crash:
    """What a client's report becomes."""
    with blob_store().incoming(1 << 30) as main:
        main.write(content)
        return accept(project=project, report=Report("minidump", "backtrace", main, **values)).crash


def attach_late(crash, content: bytes) -> Attachment:
    with blob_store().incoming(1 << 30) as incoming:
        incoming.write(content)
        return attach(crash=crash, attachment=NewAttachment("late.txt", incoming))
