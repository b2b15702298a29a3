"""REST: what came in, as it came. It may hold anything that was in the memory of the program that crashed."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import answer, not_found
from core.openapi import refusals
from crashes.models import Attachment, Crash
from crashes.rest.asking import CRASH, PLACE, RAW, TAG, CrashView, find_crash, row_number
from crashes.rest.shapes import CrashAttachments, attachment_shown
from debugfiles.models import Blob
from debugfiles.sending import send
from debugfiles.upload_views import CONTENT, RANGE
from projects import audit
from projects.access import ProjectAccess

_ATTACHMENT: Final = OpenApiParameter(
    "attachment_id", str, OpenApiParameter.PATH, description="Id of the attachment, from the list."
)
_ENDINGS: Final = {"json": "json", "event": "json", "minidump": "dmp", "plcrash": "plcrash", "btt": "btt"}


class ProjectCrashAttachments(CrashView):
    @extend_schema(
        operation_id="list_crash_attachments",
        summary="List the attachments of a crash",
        tags=TAG,
        parameters=[*PLACE, CRASH],
        responses={200: CrashAttachments, **refusals(403, 404)},
    )
    def get(self, request: Request, crash_id: str, **names: str) -> Response:
        """As they came in; two may have the same name."""
        crash = find_crash(self.open(request, names).project, crash_id)
        return answer([attachment_shown(row) for row in crash.attachments.all()])


class ProjectCrashAttachment(CrashView):
    @extend_schema(
        operation_id="download_crash_attachment",
        summary="Download an attachment of a crash",
        tags=TAG,
        parameters=[*PLACE, CRASH, _ATTACHMENT, RANGE],
        responses={**CONTENT, **refusals(403, 404)},
    )
    def get(self, request: Request, crash_id: str, attachment_id: str, **names: str) -> HttpResponseBase:
        """Always as a file to save, whatever the client called it. Needs `event:raw`; it is recorded."""
        access = self.open(request, names, RAW)
        crash = find_crash(access.project, crash_id)
        row = Attachment.objects.filter(crash=crash, pk=row_number(attachment_id)).first()
        if row is None:
            raise not_found()
        _record(access, crash, "attachment.downloaded", row.pk)
        return send(request, _content(row), row.filename or row.name)


class ProjectCrashReport(CrashView):
    @extend_schema(
        operation_id="download_crash_report",
        summary="Download the report of a crash",
        tags=TAG,
        parameters=[*PLACE, CRASH, RANGE],
        responses={**CONTENT, **refusals(403, 404)},
    )
    def get(self, request: Request, crash_id: str, **names: str) -> HttpResponseBase:
        """Byte for byte as the client sent it: nothing is masked. Needs `event:raw`; it is recorded."""
        access = self.open(request, names, RAW)
        crash = find_crash(access.project, crash_id)
        _record(access, crash, "crash.downloaded", None)
        return send(request, _content(crash), f"{crash.rxid}.{_ENDINGS.get(crash.format, 'bin')}")


def _content(row: Crash | Attachment) -> Blob:
    """What `send` needs to know of it; these contents have no row of their own."""
    return Blob(key=row.blob_key, sha256=row.sha256, size=row.size)


def _record(access: ProjectAccess, crash: Crash, action: str, attachment: int | None) -> None:
    audit.record(
        organization=access.organization,
        project=access.project,
        actor=access.actor,
        action=action,
        target=crash.rxid,
        data={"crash": crash.pk} if attachment is None else {"crash": crash.pk, "attachment": attachment},
    )
