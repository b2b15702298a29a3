"""Multipart requests as a web server hands them over, without a socket."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable
from typing import Any

from django.test import RequestFactory

from core.wire.body import WireRequest


def encoded(parts: Iterable[tuple[str, bytes]], boundary: str = "b0undary") -> bytes:
    """A body; each part is its headers (or just its name) and its content."""
    made = []
    for head, content in parts:
        lines = head if ":" in head else f'Content-Disposition: form-data; name="{head}"'
        made.append(f"--{boundary}\r\n{lines}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(made) + f"--{boundary}--\r\n".encode()


class Trickle(io.BytesIO):
    """Gives a few bytes at a time, another number each time."""

    def __init__(self, data: bytes, most: int, seed: int) -> None:
        super().__init__(data)
        self._most, self._random = most, random.Random(seed)

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, self._random.randint(1, self._most)))


def wire_request(
    body: bytes | io.BytesIO,
    content_type: str = "multipart/form-data; boundary=b0undary",
    *,
    chunked: bool = False,
    length: int | None = None,
    **headers: str,
) -> WireRequest:
    environ: dict[str, Any] = RequestFactory()._base_environ(
        REQUEST_METHOD="POST", CONTENT_TYPE=content_type, **headers
    )
    environ["wsgi.input"] = body if isinstance(body, io.BytesIO) else io.BytesIO(body)
    environ.pop("CONTENT_LENGTH", None)
    if chunked:
        environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    else:
        size = len(body.getvalue()) if isinstance(body, io.BytesIO) else len(body)
        environ["CONTENT_LENGTH"] = str(size if length is None else length)
    return WireRequest(environ)
