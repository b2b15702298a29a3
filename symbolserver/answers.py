"""How files and refusals go out: streamed, in part where asked for, with nothing else told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date

from symbolserver.ranges import Span, Unsatisfiable, asked_span

CHALLENGE: Final = 'Basic realm="symbols", charset="UTF-8"'
BINARY: Final = "application/octet-stream"
_TEXTS: Final = {
    401: "This symbol server needs a token with the scope symbols:read.\n",
    403: "The token lacks the scope symbols:read.\n",
    404: "",
    502: "A symbol source could not be asked.\n",
    503: "Try again in a few seconds.\n",
    504: "A symbol source did not answer in time.\n",
}
_RETRY_SECONDS: Final = "5"


@dataclass(frozen=True, slots=True)
class Content:
    """A file to be sent. `pieces(start, size)` gives that part of it, without a database connection.

    `digest` changes whenever the bytes do; `size` is in bytes.
    """

    name: str
    size: int
    digest: str
    modified: datetime
    pieces: Callable[[int, int], Iterator[bytes]]

    @property
    def etag(self) -> str:
        """The strong entity tag."""
        return f'"{self.digest}"'


def refusal(status: int) -> HttpResponse:
    """An answer without a file. It is never kept: what is missing now may be uploaded in a second."""
    answer = HttpResponse(_TEXTS[status], status=status, content_type="text/plain; charset=utf-8")
    answer["Cache-Control"] = "no-store"
    # Debuggers ask for far more than there is: the framework's warning for each would drown the log.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    if status == 401:
        answer["WWW-Authenticate"] = CHALLENGE
    if status == 503:
        answer["Retry-After"] = _RETRY_SECONDS
    return answer


def file_answer(request: HttpRequest, content: Content) -> HttpResponseBase:
    """The file or the part of it that the request asks for: 200, 206, 304, 412 or 416.

    Raises what `content.pieces` raises before its first piece.
    """
    modified = int(content.modified.timestamp())
    conditional = get_conditional_response(request, content.etag, modified)
    if conditional is not None and conditional.status_code != 200:
        return _described(conditional, content)
    try:
        span = asked_span(request, content.size, content.etag, content.modified)
    except Unsatisfiable:
        answer = _described(HttpResponse(status=416, content_type=BINARY), content)
        answer["Content-Range"] = f"bytes */{content.size}"
        return answer
    return _sent(request, content, span)


def _sent(request: HttpRequest, content: Content, span: Span | None) -> HttpResponseBase:
    part = span or Span(0, content.size)
    answer: HttpResponseBase
    if request.method == "HEAD":
        answer = HttpResponse(content_type=BINARY)
    else:
        pieces = content.pieces(part.start, part.size)
        answer = StreamingHttpResponse(_joined(next(pieces, b""), pieces), content_type=BINARY)
    if span is not None:
        answer.status_code = 206
        answer["Content-Range"] = span.header(content.size)
    answer["Content-Length"] = str(part.size)
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", content.name)[:100] or "file"
    answer["Content-Disposition"] = f'attachment; filename="{safe}"'
    # Shown by clients of debuginfod while they wait.
    answer["X-Debuginfod-Size"] = str(content.size)
    return _described(answer, content)


def _described(answer: HttpResponseBase, content: Content) -> HttpResponseBase:
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = content.etag
    answer["Last-Modified"] = http_date(content.modified.timestamp())
    # A newer file may take its place: whoever keeps a copy asks again.
    answer["Cache-Control"] = "private, no-cache"
    return answer


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
