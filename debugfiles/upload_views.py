"""What the endpoints of uploads have in common: who may do what, and how they are described."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

from core.api import ApiView, not_found
from core.openapi import challenge
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
RANGE: Final = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range of bytes.")
# The answers that send a content.
CONTENT: Final[Mapping[Any, Any]] = MappingProxyType(
    {
        (200, "application/octet-stream"): OpenApiTypes.BINARY,
        (206, "application/octet-stream"): OpenApiTypes.BINARY,
        416: OpenApiResponse(description="The range begins behind the end."),
    }
)
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
