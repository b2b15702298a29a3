"""Multipart bodies as a stream: part by part, each in pieces, nothing kept that its reader does not keep.

What the body may be: with a length or chunked, packed as `core.wire.coding` knows, with quoted and bare boundaries,
with names in UTF-8. Parts are known by their names; whether one has a file name says nothing, since browsers send files
without. A part within a part (`multipart/mixed`) is refused. The push parser of the library `multipart` finds them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final

from django.http import HttpRequest
from django.http.request import UnreadablePostError
from multipart import MultipartError, MultipartSegment, PushMultipartParser
from rest_framework.request import Request

from core.wire.body import WireRequest
from core.wire.coding import unpacked
from core.wire.errors import BodyBroken, BodyError, BodyTooLarge

FORM_DATA: Final = "multipart/form-data"
_STEP: Final = 256 * 1024
_LONGEST_BOUNDARY: Final = 200

# What nearly every client writes, which needs no reading by all the rules of headers.
_PLAIN: Final = re.compile(rf"multipart/form-data; ?boundary=([A-Za-z0-9_=.+-]{{1,{_LONGEST_BOUNDARY}}})")

# A part's headers, a piece of its content, and None for its end.
Event = Any


class MissingBoundary(BodyError):
    """The request's content type is not that of a form, or names no boundary."""

    code = "missing_boundary"
    status = 400

    def __init__(self) -> None:
        super().__init__(f"The content type must be {FORM_DATA} with one boundary.")


class BadMultipart(BodyError):
    """The body is not what its content type says, or has too many parts or headers."""

    code = "bad_multipart"
    status = 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"The multipart body cannot be read: {reason}")


class PartTooLarge(BodyError):
    """One part is larger than its kind may be."""

    code = "part_too_large"
    status = 413

    def __init__(self, name: str, limit: int) -> None:
        super().__init__(f"{name}: larger than {limit} bytes")
        self.name = name
        self.limit = limit


@dataclass(frozen=True, slots=True)
class MultipartLimits:
    """Bytes, but for `parts` and `headers`, which count.

    `body`: the whole body, as it is sent and once more as it is unpacked. `field`: one part that is kept in memory;
    `memory`: all of them. `spare`: what has to stay free on the disk that takes files. `headers`: header lines of a
    part; `header`: one such line.
    """

    body: int
    field: int = 1024 * 1024
    memory: int = 16 * 1024 * 1024
    spare: int = 0
    parts: int = 1000
    headers: int = 16
    header: int = 8 * 1024


@dataclass(frozen=True, slots=True)
class PartHead:
    """What a part says about itself, as the client wrote it: names of files may be paths.

    `name` is empty for a part without one. `content_type` is lower case and without parameters.
    """

    name: str
    filename: str | None = None
    content_type: str | None = None


class Part:
    """One part on its way in: to be read before the next one is asked for; what is left is skipped."""

    def __init__(self, head: PartHead, events: Iterator[Event]) -> None:
        self.head = head
        self._events = events
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        """The pieces of the content. Raises BodyError."""
        while not self._ended:
            event = next(self._events, None)
            if isinstance(event, bytes):
                yield event
            else:
                self._ended = True

    def copy_to(self, write: Callable[[bytes], object], *, limit: int | None = None) -> int:
        """Hand every piece to `write`; how many bytes there were. Raises PartTooLarge beyond `limit`, and BodyError."""
        size = 0
        for piece in self:
            size += len(piece)
            if limit is not None and size > limit:
                raise PartTooLarge(self.head.name, limit)
            write(piece)
        return size


def stream_parts(request: HttpRequest | Request, *, limits: MultipartLimits) -> Iterator[Part]:
    """The parts of the body of `request`, in their order.

    Raises MissingBoundary at once, and BadMultipart, BodyTooLarge, BodyTooSlow, BodyBroken or UnknownCoding on the way.
    """
    inner: HttpRequest = getattr(request, "_request", request)
    boundary = boundary_of(inner.META.get("CONTENT_TYPE", ""))
    chunks = _bounded(_received(inner, limits.body), limits.body)
    plain = _bounded(unpacked(chunks, inner.META.get("HTTP_CONTENT_ENCODING", "")), limits.body)
    return _parts(_events(_from_delimiter(_mended(plain, boundary), boundary), _parser(boundary, limits)))


def boundary_of(content_type: str) -> bytes:
    """The boundary that the header `Content-Type` names, quoted or bare. Raises MissingBoundary."""
    if plain := _PLAIN.fullmatch(content_type):
        return plain[1].encode()
    boundary = _named_boundary(content_type)
    if not 0 < len(boundary) <= _LONGEST_BOUNDARY or not boundary.isascii() or not boundary.isprintable():
        raise MissingBoundary
    return boundary.encode()


def _named_boundary(content_type: str) -> str:
    header = Message()
    header["Content-Type"] = content_type
    try:
        named = [value for name, value in header.get_params([]) if name.lower() == "boundary"]
    except (TypeError, ValueError, LookupError):
        # The standard library stumbles over parameters in pieces whose numbers are none.
        raise MissingBoundary from None
    if header.get_content_type() != FORM_DATA or len(named) != 1 or not isinstance(named[0], str):
        raise MissingBoundary
    return named[0]


class _Parser(PushMultipartParser):  # type: ignore[misc]  # the library has no types
    """The library's, which sees a bare line feed in a header only where the rest of that header arrives later."""

    def _on_segment_headerline(self, line: bytes) -> None:
        if b"\n" in line:
            raise MultipartError("Invalid line break in segment header")
        super()._on_segment_headerline(line)


def _parser(boundary: bytes, limits: MultipartLimits) -> PushMultipartParser:
    return _Parser(
        boundary,
        max_header_size=limits.header,
        max_header_count=limits.headers,
        max_segment_count=limits.parts,
        # Takes every byte as it is; `_text` makes text of what matters.
        header_charset="latin-1",
    )


def _received(request: HttpRequest, limit: int) -> Iterator[bytes]:
    if isinstance(request, WireRequest):
        request.limit_body(limit)
    try:
        while piece := request.read(_STEP):
            yield piece
    except UnreadablePostError as error:
        raise BodyBroken from error


def _bounded(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    left = limit
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise BodyTooLarge(limit)
        yield chunk


def _from_delimiter(chunks: Iterable[bytes], boundary: bytes) -> Iterator[bytes]:
    """The same bytes from the first delimiter on, which stands at the beginning or behind a line break.

    What the library makes of anything before it depends on how the bytes arrive.
    """
    delimiter, held, passed = b"--" + boundary, b"", 0
    arriving = iter(chunks)
    for chunk in arriving:
        held += chunk
        at = held.find(delimiter)
        if at >= 0:
            if passed + at and held[:at][-2:] != b"\r\n":
                raise BadMultipart("Unexpected byte in front of first boundary")
            yield held[at:]
            yield from arriving
            return
        # As much as a delimiter that has begun may have, and the line break before it.
        kept = held[-len(delimiter) - 1 :]
        passed, held = passed + len(held) - len(kept), kept
    yield held


def _mended(chunks: Iterable[bytes], boundary: bytes) -> Iterator[bytes]:
    """The same bytes, with an end as the standard has it: a client of Apple's systems puts a line break into it."""
    delimiter = b"--" + boundary
    odd = (delimiter + b"\r\n--", delimiter + b"\r\n--\r\n")
    longest = len(odd[-1])
    held = b""
    for chunk in chunks:
        if len(chunk) >= longest:
            # All of the end is in what came last: whole chunks go through as they are.
            yield held
            held = chunk
            continue
        held += chunk
        yield held[:-longest]
        held = held[-longest:]
    ending = next((end for end in odd if held.endswith(end)), None)
    yield held if ending is None else held.removesuffix(ending) + delimiter + b"--"


def _events(chunks: Iterable[bytes], parser: PushMultipartParser) -> Iterator[Event]:
    try:
        for chunk in chunks:
            if chunk:
                yield from parser.parse(chunk)
        parser.close()
    except MultipartError as error:
        raise BadMultipart(str(error.args[0])) from None


def _parts(events: Iterator[Event]) -> Iterator[Part]:
    for event in events:
        if isinstance(event, MultipartSegment):
            part = Part(_head(event), events)
            yield part
            for _skipped in part:
                pass


def _head(segment: MultipartSegment) -> PartHead:
    if (segment.content_type or "").startswith("multipart/"):
        raise BadMultipart("parts within parts are not taken")
    filename = None if segment.filename is None else _text(segment.filename)
    return PartHead(_text(segment.name or ""), filename, segment.content_type)


def _text(value: str) -> str:
    """Browsers write UTF-8; for anything else the readable part remains."""
    return value.encode("latin-1", "replace").decode("utf-8", "replace")
