"""Addresses of files on a web server: the base URL, its hidden parts, and the joined path."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit, urlunsplit

# What the WHATWG URL standard leaves as it is in a path segment.
_KEPT = "!$&'()*+,;=:@~[]|^"


@dataclass(frozen=True, slots=True)
class BaseAddress:
    """A base URL, taken as a directory.

    `shown` has neither user name and password nor a query, both of which can be credentials; `query` is sent with
    every request; `authorization` is the Basic header made of user name and password, None without them.
    """

    shown: str
    query: str
    host: str
    authorization: str | None

    @classmethod
    def parse(cls, url: str) -> BaseAddress:
        parts = urlsplit(url)
        netloc = parts.netloc.rpartition("@")[2]
        path = "".join(f"/{segment}" for segment in parts.path.split("/") if segment)
        return cls(
            shown=urlunsplit((parts.scheme, netloc, path + "/", "", "")),
            query=parts.query,
            host=(parts.hostname or "").lower(),
            authorization=_basic(parts.username, parts.password),
        )

    def show(self, path: str) -> str:
        """The URL of a file as candidates show it."""
        return self.shown + "/".join(quote(segment, safe=_KEPT) for segment in path.split("/") if segment)

    def request_url(self, path: str) -> str:
        """The URL that is really asked for; may hold a secret in its query."""
        return f"{self.show(path)}?{self.query}" if self.query else self.show(path)


def _basic(user: str | None, password: str | None) -> str | None:
    if user is None and password is None:
        return None
    pair = f"{unquote(user or '')}:{unquote(password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
