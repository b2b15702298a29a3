"""The body of a submission: raw, whatever its content type says, or a form; streamed into the store's spool."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from django.http import HttpRequest
from django.http.request import UnreadablePostError

from core.blobs import Incoming, blob_store
from core.text import storable
from core.wire.body import WireRequest
from core.wire.coding import unpacked
from core.wire.errors import BodyBroken
from core.wire.multipart import FORM_DATA, MultipartLimits, Part, stream_parts
from crashes.answers import malformed

_STEP: Final = 1 << 20
_AROUND_BYTES: Final = 1 << 20
_FIELD_BYTES: Final = 64 << 10
_MOST_PARTS: Final = 200
_MOST_FILES: Final = 20


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that came in: its part's name (empty for a raw body), and the base name it was sent under."""

    part: str
    filename: str
    incoming: Incoming


@dataclass(frozen=True, slots=True)
class Submission:
    """What a request brought: its files in their order, and the fields that came beside them, storable."""

    files: tuple[ReceivedFile, ...]
    fields: dict[str, list[str]]


@contextmanager
def received(request: HttpRequest, *, main: Collection[str], limit: int, form: bool = True) -> Iterator[Submission]:
    """The body of `request`; of a form the parts named in `main` are its files, other parts are fields.

    A part is known by its name alone: browsers send files without file names. Parts that have a file name and another
    name are passed over. Without `form` nothing is taken for one. `limit` is that of the body in bytes, as it is sent
    and as it is unpacked. Raises BodyError, BlobError and Refusal (400).
    """
    with ExitStack() as stack:
        if form and _is_form(request):
            yield _form(request, main, limit, stack)
        else:
            incoming = stack.enter_context(blob_store().incoming(limit))
            for piece in _raw(request, limit):
                incoming.write(piece)
            incoming.finish()
            yield Submission((ReceivedFile("", "", incoming),), {})


def base_name(text: str) -> str:
    """The last part of what may be a path of any system."""
    return storable(PurePosixPath(text.replace("\\", "/")).name)


def _is_form(request: HttpRequest) -> bool:
    return str(request.META.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower() == FORM_DATA


def _form(request: HttpRequest, main: Collection[str], limit: int, stack: ExitStack) -> Submission:
    limits = MultipartLimits(body=limit + _AROUND_BYTES, field=_FIELD_BYTES, memory=_AROUND_BYTES, parts=_MOST_PARTS)
    files: list[ReceivedFile] = []
    fields: dict[str, list[str]] = {}
    for part in stream_parts(request, limits=limits):
        if part.head.name in main:
            if len(files) == _MOST_FILES:
                raise malformed(f"more than {_MOST_FILES} files in one form")
            files.append(_file(part, limit, stack))
        elif part.head.filename is None and part.head.name:
            value = bytearray()
            part.copy_to(value.extend, limit=_FIELD_BYTES)
            fields.setdefault(storable(part.head.name), []).append(storable(value.decode("utf-8", "replace")))
    return Submission(tuple(files), fields)


def _file(part: Part, limit: int, stack: ExitStack) -> ReceivedFile:
    incoming = stack.enter_context(blob_store().incoming(limit))
    part.copy_to(incoming.write)
    incoming.finish()
    return ReceivedFile(part.head.name, base_name(part.head.filename or ""), incoming)


def _raw(request: HttpRequest, limit: int) -> Iterator[bytes]:
    if isinstance(request, WireRequest):
        request.limit_body(limit)
    return unpacked(_pieces(request), request.META.get("HTTP_CONTENT_ENCODING", ""))


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    try:
        while piece := request.read(_STEP):
            yield piece
    except UnreadablePostError as error:
        raise BodyBroken from error
