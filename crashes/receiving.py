"""The body of a submission: raw, whatever its content type says, or a form; streamed into the store's spool."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
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
from core.wire.multipart import FORM_DATA, MultipartLimits, Part, PartHead, PartTooLarge, stream_parts
from crashes.answers import malformed

_STEP: Final = 1 << 20
_AROUND_BYTES: Final = 1 << 20

IsFile = Callable[[PartHead], bool]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a body may be. Bytes, but for `parts` and `files`, which count.

    `body`: all of it, as it is sent and once more as it is unpacked; `field`: one field; `fields`: all of them, with
    their names.
    """

    body: int
    field: int = 64 << 10
    fields: int = 1 << 20
    parts: int = 200
    files: int = 20


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that came in: its part's name (empty for a raw body), and the base name it was sent under."""

    part: str
    filename: str
    incoming: Incoming
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a request brought: its files in their order, and the fields that came beside them, storable."""

    files: tuple[ReceivedFile, ...]
    fields: dict[str, list[str]]


def named(names: Collection[str]) -> IsFile:
    """Parts of these names are files, with a file name or without: browsers send files without."""
    return lambda head: head.name in names


@contextmanager
def received(
    request: HttpRequest, *, is_file: IsFile, bounds: Bounds, form: bool = True, sha1: bool = True
) -> Iterator[Submission]:
    """The body of `request`; of a form, the parts that `is_file` picks are its files, those without file names fields.

    Other parts are passed over. Without `form` nothing is taken for one; without `sha1` the files' digests lack it.
    Raises BodyError, BlobError and Refusal (400).
    """
    with ExitStack() as stack:
        if form and _is_form(request):
            yield _Form(is_file, bounds, stack, sha1).read(request)
        else:
            incoming = stack.enter_context(blob_store().incoming(bounds.body, sha1=sha1))
            for piece in raw_body(request, bounds.body):
                incoming.write(piece)
            incoming.finish()
            yield Submission((ReceivedFile("", "", incoming, _content_type(request)),), {})


def base_name(text: str) -> str:
    """The last part of what may be a path of any system."""
    return storable(PurePosixPath(text.replace("\\", "/")).name)


def _content_type(request: HttpRequest) -> str:
    return str(request.META.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()


def _is_form(request: HttpRequest) -> bool:
    return _content_type(request) == FORM_DATA


class _Form:
    """Takes the parts of one form."""

    def __init__(self, is_file: IsFile, bounds: Bounds, stack: ExitStack, sha1: bool) -> None:
        self._sha1 = sha1
        self._is_file = is_file
        self._bounds = bounds
        self._stack = stack
        self._files: list[ReceivedFile] = []
        self._fields: dict[str, list[str]] = {}
        self._left = bounds.fields

    def read(self, request: HttpRequest) -> Submission:
        bounds = self._bounds
        limits = MultipartLimits(
            body=bounds.body + _AROUND_BYTES, field=bounds.field, memory=bounds.fields, parts=bounds.parts
        )
        for part in stream_parts(request, limits=limits):
            if self._is_file(part.head):
                self._take_file(part)
            elif part.head.filename is None and part.head.name:
                self._take_field(part)
        return Submission(tuple(self._files), self._fields)

    def _take_file(self, part: Part) -> None:
        if len(self._files) == self._bounds.files:
            raise malformed(f"more than {self._bounds.files} files in one form")
        incoming = self._stack.enter_context(blob_store().incoming(self._bounds.body, sha1=self._sha1))
        part.copy_to(incoming.write)
        incoming.finish()
        filename = base_name(part.head.filename or "")
        self._files.append(ReceivedFile(part.head.name, filename, incoming, part.head.content_type or ""))

    def _take_field(self, part: Part) -> None:
        name = storable(part.head.name)
        value = bytearray()
        # One field too many is in memory before it is counted, never more.
        part.copy_to(value.extend, limit=self._bounds.field)
        self._left -= len(value) + len(name)
        if self._left < 0:
            raise PartTooLarge("all fields together", self._bounds.fields)
        self._fields.setdefault(name, []).append(storable(value.decode("utf-8", "replace")))


def raw_body(request: HttpRequest, limit: int) -> Iterator[bytes]:
    """The body, unpacked, piece by piece; `limit` bytes as it is sent. Raises BodyError.

    How much comes out is for the caller to bound.
    """
    if isinstance(request, WireRequest):
        request.limit_body(limit)
    return unpacked(_pieces(request), request.META.get("HTTP_CONTENT_ENCODING", ""))


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    try:
        while piece := request.read(_STEP):
            yield piece
    except UnreadablePostError as error:
        raise BodyBroken from error
