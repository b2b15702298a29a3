"""How answers and files go out."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from typing import Any, Final

import orjson
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from core.blobs import BlobMissing, blob_store
from core.database import release
from crashes.answers import MALFORMED, Refusal

_CORS: Final = {"Access-Control-Allow-Origin": "*"}
PREFLIGHT: Final = {
    **_CORS,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, X-Coroner-Token, X-Coroner-Location",
    "Access-Control-Max-Age": "86400",
}
_BINARY: Final = "application/octet-stream"


def json(body: Any) -> HttpResponse:
    """200 with JSON."""
    return HttpResponse(orjson.dumps(body), content_type="application/json", headers=_CORS)


def content(body: bytes, name: str, *, packed: bool, content_type: str) -> HttpResponse:
    """A made file as a download; `packed` with gzip, as a file of its own and no encoding of the answer."""
    data = gzip.compress(body, 6, mtime=0) if packed else body
    return HttpResponse(data, content_type="application/gzip" if packed else content_type, headers=_headers(name))


def blob(key: str, size: int, name: str) -> HttpResponseBase:
    """A stored file as a download, whatever type the client gave it: none is shown in a browser.

    Raises BlobError, and Refusal (404) for one that is gone, while there is still time to say so.
    """
    release()
    pieces = blob_store().pieces(key)
    try:
        first = next(pieces, b"")
    except BlobMissing as error:
        raise Refusal(404, MALFORMED, error.message) from None
    answer = StreamingHttpResponse(_joined(first, pieces), content_type=_BINARY, headers=_headers(name))
    answer["Content-Length"] = str(size)
    return answer


def _headers(name: str) -> dict[str, str]:
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:100] or "file"
    return {**_CORS, "Content-Disposition": f'attachment; filename="{safe}"', "X-Content-Type-Options": "nosniff"}


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
