"""The part of a file that a request asks for (RFC 9110, section 14): one range of bytes, or everything.

Several ranges at once are answered with everything, which every client has to accept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import HttpRequest
from django.utils.http import parse_http_date_safe

from engine.errors import SymbolsvcError

_RANGE: Final = re.compile(r"bytes\s*=\s*([0-9]{0,19})\s*-\s*([0-9]{0,19})\s*", re.IGNORECASE)


class Unsatisfiable(SymbolsvcError):
    """The range begins beyond the end."""

    code = "unsatisfiable_range"

    def __init__(self) -> None:
        super().__init__("the range begins beyond the end")


@dataclass(frozen=True, slots=True)
class Span:
    """`size` bytes from `start` of a file."""

    start: int
    size: int

    def header(self, total: int) -> str:
        """The Content-Range of the answer."""
        return f"bytes {self.start}-{self.start + self.size - 1}/{total}"


def asked_span(request: HttpRequest, total: int, etag: str, modified: datetime) -> Span | None:
    """The part of a file of `total` bytes that is asked for; None for all of it. Raises Unsatisfiable.

    A header that is malformed, or bound (If-Range) to another state of the file, counts as none.
    """
    header = request.headers.get("Range")
    if header is None or request.method != "GET" or not _unchanged(request, etag, modified):
        return None
    match = _RANGE.fullmatch(header.strip())
    return _span(match[1], match[2], total) if match else None


def _span(first: str, last: str, total: int) -> Span | None:
    if not first:
        return _suffix(int(last), total) if last else None
    start, end = int(first), int(last) if last else total - 1
    if last and end < start:
        return None
    if start >= total:
        raise Unsatisfiable
    return Span(start, min(end, total - 1) - start + 1)


def _suffix(size: int, total: int) -> Span:
    if not size or not total:
        raise Unsatisfiable
    return Span(max(total - size, 0), min(size, total))


def _unchanged(request: HttpRequest, etag: str, modified: datetime) -> bool:
    condition = request.headers.get("If-Range")
    if condition is None:
        return True
    return condition.strip() == etag or parse_http_date_safe(condition) == int(modified.timestamp())
