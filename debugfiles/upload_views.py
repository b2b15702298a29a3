"""What the endpoints of uploads have in common: who may do what, and how a file goes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, Final

from django.conf import settings
from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.api import ApiView, not_found
from core.database import release
from core.openapi import challenge
from debugfiles.contents import pieces_of
from debugfiles.models import Blob
from debugfiles.receiving import AROUND_BYTES
from projects.access import ProjectAccess, open_project
from projects.openapi import ORGANIZATION, PROJECT

_WRITE: Final = ("project:write", "project:admin", "project:releases", "org:ci")
SCOPES: Final = MappingProxyType(
    {
        "GET": ("project:read", *_WRITE),
        "POST": _WRITE,
        "PUT": _WRITE,
        "DELETE": ("project:admin", "project:releases"),
    }
)
DOWNLOAD: Final = ("symbols:read", "project:write", "project:admin")
PLACE: Final = (ORGANIZATION, PROJECT, challenge())
BINARY: Final = MappingProxyType({"type": "string", "format": "binary"})
_DIGITS: Final = re.compile("[0-9]{1,18}")


class UploadView(ApiView):
    """An endpoint below a project; bodies are read by the view itself."""

    body_limit = int(settings.ENVIRONMENT["MAX_UPLOAD_BYTES"]) + AROUND_BYTES

    def open(self, request: Request, names: dict[str, str]) -> ProjectAccess:
        """The project of the address, for a caller with a scope that suffices for the method."""
        return open_project(
            request,
            names["organization_id_or_slug"],
            names["project_id_or_slug"],
            any_of=SCOPES[request.method or "GET"],
        )


def row_id(text: str) -> int:
    """The number of a row in an address. Raises NotFound for what is none."""
    if _DIGITS.fullmatch(text) is None:
        raise not_found()
    return int(text)


def form_of(**fields: str) -> dict[str, Any]:
    """The schema of a request body: the file itself, or a form that has it beside `fields` (name: description)."""
    properties: dict[str, Any] = {name: {"type": "string", "description": text} for name, text in fields.items()}
    form = {"type": "object", "properties": {"file": dict(BINARY), **properties}, "required": ["file"]}
    return {"application/octet-stream": dict(BINARY), "multipart/form-data": form}


def query(name: str, text: str) -> OpenApiParameter:
    """A text parameter of the query."""
    return OpenApiParameter(name, str, OpenApiParameter.QUERY, description=text)


def send(blob: Blob, name: str, start: int = 0, size: int | None = None) -> StreamingHttpResponse:
    """A content as a download, streamed. Raises BlobError while there is still time to say so."""
    release()
    pieces = pieces_of(blob, start, size)
    first = next(pieces, b"")
    answer = StreamingHttpResponse(_joined(first, pieces), content_type="application/octet-stream")
    answer["Content-Length"] = str(blob.size if size is None else size)
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:100] or "file"
    answer["Content-Disposition"] = f'attachment; filename="{safe}"'
    return answer


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
