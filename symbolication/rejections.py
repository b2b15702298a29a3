"""Answers to requests that are refused, in the two forms of Symbolicator's API.

What the framework of that service refuses (content type, syntax, schema, size, query string) is plain text; what its
handlers refuse is JSON with `detail`.
"""

from __future__ import annotations

from typing import Final

import orjson
from django.http import HttpResponse

from engine.errors import SymbolsvcError

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"
TOO_MANY: Final = "maximum number of concurrent requests reached"


class Rejected(SymbolsvcError):
    """The request is refused; `message` is the whole answer, as plain text."""

    code = "rejected"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def answer(self) -> HttpResponse:
        """The answer in plain text."""
        return HttpResponse(self.message, content_type=TEXT, status=self.status)


class Refused(Rejected):
    """The request is refused; `message` is the `detail` of a JSON answer."""

    code = "refused"

    def answer(self) -> HttpResponse:
        """The answer in JSON."""
        return HttpResponse(orjson.dumps({"detail": self.message}), content_type=JSON, status=self.status)
