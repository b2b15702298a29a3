"""A file on its way in: the body itself, or the part `file` of a form; streamed into the store's spool either way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from rest_framework.request import Request

from core.api import ApiError
from core.blobs import Incoming, blob_store
from core.text import storable
from core.wire.body import WireRequest
from core.wire.coding import unpacked
from core.wire.errors import BodyBroken
from core.wire.multipart import FORM_DATA, MultipartLimits, stream_parts

FILE: Final = "file"
# What a form has around its file.
AROUND_BYTES: Final = 1 << 20
_STEP: Final = 1 << 20
_FIELD_BYTES: Final = 64 << 10
_MOST_PARTS: Final = 64


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came in, the name it was sent under (empty for none), and the fields that came with it."""

    incoming: Incoming
    filename: str
    fields: Mapping[str, list[str]]

    def field(self, name: str) -> str:
        """The last value of a field, storable; empty without one."""
        return storable((self.fields.get(name) or [""])[-1])


def max_upload_bytes() -> int:
    """The largest file that is taken."""
    return int(settings.ENVIRONMENT["MAX_UPLOAD_BYTES"])


@contextmanager
def received(request: Request) -> Iterator[Received]:
    """The file that a request brings; fields come from the query, and from the form where it is one.

    Raises ApiError (400) for a form without a file or with several, BlobError (413, 507, 503), BodyError.
    """
    inner = request._request
    fields = {name: list(values) for name, values in inner.GET.lists()}
    with blob_store().incoming(max_upload_bytes()) as incoming:
        if is_form(inner):
            filename = _read_form(request, incoming, fields)
        else:
            filename = ""
            for piece in _raw(inner):
                incoming.write(piece)
        # Whoever looks into it opens it by its path.
        incoming.finish()
        yield Received(incoming, filename, fields)


def is_form(request: HttpRequest) -> bool:
    """Whether the body is a form with files."""
    return str(request.META.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower() == FORM_DATA


def _read_form(request: Request, incoming: Incoming, fields: dict[str, list[str]]) -> str:
    """Write the file's part and add the other parts to `fields`; the file's name."""
    limits = MultipartLimits(
        body=max_upload_bytes() + AROUND_BYTES, field=_FIELD_BYTES, memory=AROUND_BYTES, parts=_MOST_PARTS
    )
    filename = None
    for part in stream_parts(request, limits=limits):
        if part.head.name == FILE:
            if filename is not None:
                raise ApiError("file: one file for each request", field=FILE)
            part.copy_to(incoming.write)
            filename = part.head.filename or ""
        elif part.head.name:
            value = bytearray()
            part.copy_to(value.extend, limit=_FIELD_BYTES)
            fields.setdefault(part.head.name, []).append(value.decode("utf-8", "replace"))
    if filename is None:
        raise ApiError("file: the form has no such part", field=FILE)
    return filename


def _raw(request: HttpRequest) -> Iterator[bytes]:
    if isinstance(request, WireRequest):
        request.limit_body(max_upload_bytes())
    return unpacked(_pieces(request), request.META.get("HTTP_CONTENT_ENCODING", ""))


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    try:
        while piece := request.read(_STEP):
            yield piece
    except UnreadablePostError as error:
        raise BodyBroken from error
