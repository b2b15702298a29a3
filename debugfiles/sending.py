"""How stored content goes out: streamed, in ranges, and not at all to whoever asks for its size alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request

from core.database import release
from debugfiles.contents import pieces_of
from debugfiles.models import Blob

_RANGE: Final = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")
_BINARY: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`size` bytes of a content from `start` on, under a name for people."""

    blob: Blob
    name: str
    start: int
    size: int

    @property
    def etag(self) -> str:
        """The same for the same bytes, whoever has them."""
        return f'"{self.blob.sha256[:32]}-{self.start:x}-{self.size:x}"'


def send(request: Request, blob: Blob, name: str, start: int = 0, size: int | None = None) -> HttpResponseBase:
    """A content as a download, or the one range of it that the request asks for (206, 416).

    Raises BlobError while there is still time to say so.
    """
    outgoing = Outgoing(blob, name, start, blob.size if size is None else size)
    wanted = _wanted(request, outgoing)
    if wanted is None:
        return _described(HttpResponse(status=416), outgoing, f"bytes */{outgoing.size}")
    first, length, partial = wanted
    answer = _answer(request, outgoing, first, length)
    answer.status_code = 206 if partial else 200
    answer["Content-Length"] = str(length)
    return _described(answer, outgoing, f"bytes {first}-{first + length - 1}/{outgoing.size}" if partial else "")


def _answer(request: Request, outgoing: Outgoing, first: int, length: int) -> HttpResponseBase:
    release()
    if request.method == "HEAD":
        return HttpResponse(content_type=_BINARY)
    pieces = pieces_of(outgoing.blob, outgoing.start + first, length)
    return StreamingHttpResponse(_joined(next(pieces, b""), pieces), content_type=_BINARY)


def _described(answer: HttpResponseBase, outgoing: Outgoing, content_range: str) -> HttpResponseBase:
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", outgoing.name)[:100] or "file"
    answer["Content-Disposition"] = f'attachment; filename="{safe}"'
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = outgoing.etag
    if content_range:
        answer["Content-Range"] = content_range
    return answer


def _wanted(request: Request, outgoing: Outgoing) -> tuple[int, int, bool] | None:
    """First byte, number of bytes, and whether a range was asked for; None for a range that begins behind the end.

    What is no single range is ignored, as is one of another content than there is (`If-Range`).
    """
    size = outgoing.size
    found = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", "").lower())
    if found is None or found[0] == "bytes=-" or request.headers.get("If-Range", outgoing.etag) != outgoing.etag:
        return 0, size, False
    if not found[1]:
        length = min(int(found[2]), size)
        return (size - length, length, True) if length else None
    first, last = int(found[1]), min(int(found[2] or size), size - 1)
    if found[2] and int(found[2]) < first:
        return 0, size, False
    return (first, last - first + 1, True) if first < size else None


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
