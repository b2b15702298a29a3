"""Uploads from pages: a form with several files, or from a script the file itself; streamed to the disk either way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

from django.http import HttpRequest
from rest_framework.request import Request

from core.api import ApiError
from core.blobs import Incoming, blob_store
from core.text import storable
from core.wire.multipart import MultipartLimits, Part, stream_parts
from debugfiles.receiving import AROUND_BYTES, FILE, is_form, max_upload_bytes, received

_FIELD_BYTES: Final = 64 << 10
_MOST_PARTS: Final = 64
# Each has a file open on the disk while the form is read.
_MOST_FILES: Final = 50


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that lies in the spool, and the name it was sent under."""

    incoming: Incoming
    name: str


@dataclass(slots=True)
class Sent:
    """Everything that a request brought."""

    files: list[SentFile] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)


@contextmanager
def sent(request: HttpRequest) -> Iterator[Sent]:
    """The files of a request, all read before the first is looked at: who waits meanwhile would seem to be slow.

    Raises ApiError (400) for a form with no file or too many, BlobError (413, 507, 503), BodyError.
    """
    if not is_form(request):
        with received(Request(request)) as got:
            yield Sent([SentFile(got.incoming, got.field("name"))], _texts(got.fields))
        return
    with ExitStack() as stack:
        yield _read_form(request, stack)


def _read_form(request: HttpRequest, stack: ExitStack) -> Sent:
    found = Sent()
    limits = MultipartLimits(
        body=max_upload_bytes() + AROUND_BYTES, field=_FIELD_BYTES, memory=AROUND_BYTES, parts=_MOST_PARTS
    )
    for part in stream_parts(request, limits=limits):
        if part.head.name != FILE:
            value = bytearray()
            part.copy_to(value.extend, limit=_FIELD_BYTES)
            found.fields[part.head.name] = storable(value.decode("utf-8", "replace"))
        elif part.head.filename:
            found.files.append(_spooled(part, stack, len(found.files)))
    if not found.files:
        raise ApiError("Choose a file first.", field=FILE)
    return found


def _spooled(part: Part, stack: ExitStack, before: int) -> SentFile:
    if before == _MOST_FILES:
        raise ApiError(f"Choose at most {_MOST_FILES} files at once, or put them into an archive.", field=FILE)
    incoming = stack.enter_context(blob_store().incoming(max_upload_bytes()))
    part.copy_to(incoming.write)
    incoming.finish()
    return SentFile(incoming, storable(part.head.filename or ""))


def _texts(fields: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: storable(values[-1]) for name, values in fields.items() if values}
