"""What a server answers, and how a part of a file is asked for, whichever library carries it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from engine.outgoing.deadline import Deadline

_CONTENT_RANGE = re.compile(r"\Abytes (\d{1,19})-(\d{1,19})/(\d{1,19})\Z")
_LENGTH = re.compile(r"\A\d{1,19}\Z")
_UNENCODED = frozenset({"", "identity"})


class PartRefused(Exception):
    """The server does not give this part of the file (any more): it has changed, or ranges mean nothing to it."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `first` to `last` (both inclusive) of a file that is still the one which `validator` names.

    The validator is an entity tag or a date of modification, empty when any state of the file will do.
    """

    first: int
    last: int
    validator: str = ""

    def headers(self) -> dict[str, str]:
        """How HTTP asks for it. The offsets of a continued file count its plain bytes, so no coding is accepted."""
        headers = {"Range": f"bytes={self.first}-{self.last}"}
        if self.validator:
            headers |= {"If-Range": self.validator, "Accept-Encoding": "identity"}
        return headers


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Which bytes of how many a partial answer holds; `last` is inclusive."""

    first: int
    last: int
    total: int

    @classmethod
    def parse(cls, text: str) -> ContentRange | None:
        """None for anything that does not name a range within a known length."""
        found = _CONTENT_RANGE.match(text.strip())
        if found is None:
            return None
        first, last, total = (int(digits) for digits in found.groups())
        return cls(first, last, total) if first <= last < total else None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose body has not been read yet. Header names are lower case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    chunks: Callable[[], Iterator[bytes]]

    def __str__(self) -> str:
        return f"{self.status} {self.reason}".strip()

    @property
    def encoded(self) -> bool:
        """Whether the body is coded for the way, so that its bytes are not the file's."""
        return self.headers.get("content-encoding", "").strip().lower() not in _UNENCODED

    @property
    def length(self) -> int | None:
        """The length of the body as announced."""
        text = self.headers.get("content-length", "").strip()
        return int(text) if _LENGTH.match(text) else None

    @property
    def range(self) -> ContentRange | None:
        return ContentRange.parse(self.headers.get("content-range", ""))

    @property
    def validator(self) -> str:
        """What tells this state of the file from another one: a strong entity tag, else the date; empty without."""
        tag = self.headers.get("etag", "").strip()
        if tag and not tag.startswith("W/"):
            return tag
        return self.headers.get("last-modified", "").strip()


# Asks for a part, or for the whole file. Raises LookupFailure for every answer that is neither 200 nor 206, and
# PartRefused for one that says that there is no such part.
Opener = Callable[[Part | None, Deadline], AbstractContextManager[Reply]]
