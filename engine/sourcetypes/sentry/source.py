"""A project's debug files on a compatible server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import BinaryIO
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from engine.errors import FailureKind, LookupFailure
from engine.modules import Wanted
from engine.outgoing import Deadline, PassingFailure, WebRequest, read_small, session
from engine.sourcetypes.answers import judge, judged
from engine.sourcetypes.base import NEVER, FileType, Location, Opening
from engine.sourcetypes.config import SentryConfig
from engine.sourcetypes.sentry.listing import LIST_BYTES, Listing, listings, parse_listing
from engine.sourcetypes.tries import PAUSE_SECONDS, TRIES, Host, fetch_file

LIST_SECONDS = 30.0
_FINAL = frozenset({FailureKind.NOT_FOUND, FailureKind.REFUSED, FailureKind.TIMED_OUT})


class SentrySource:
    """Asks a server which files it has for a module, and for these files by their ids."""

    shared = False
    asks_first = True

    def __init__(self, config: SentryConfig, opening: Opening) -> None:
        self.id = config.id
        self.cache_key = opening.cache_key
        self._opening = opening
        self._url = config.url
        self._headers = _credentials(config)

    def __repr__(self) -> str:
        return f"<SentrySource {self.id!r}>"

    def locate(
        self, wanted: Wanted, file_types: Sequence[FileType], deadline: Deadline = NEVER
    ) -> list[tuple[FileType, Location]]:
        """The files that the server lists for the module's ids, in the order of `file_types`; none without an id.

        Each file is offered once. Raises LookupFailure or DeadlineExceeded when the list cannot be had.
        """
        question = _question(wanted)
        if not question:
            return []
        listing = listings.get((self.cache_key, question), lambda: self._ask(question, deadline))
        offered: dict[str, FileType] = {}
        for file_type in file_types:
            for file in listing:
                if file_type in file.file_types:
                    offered.setdefault(file.id, file_type)
        return [(kind, Location(name, f"sentry://project_debug_file/{name}")) for name, kind in offered.items()]

    def fetch(self, location: Location, wanted: Wanted, target: BinaryIO, deadline: Deadline) -> None:
        """Stream the file to `target`, in up to three tries and at most five minutes. Raises LookupFailure."""
        request = self._request(f"id={quote(location.path, safe='')}")
        fetch_file(judged(lambda _: request), target, self._host(), deadline)

    def _host(self) -> Host:
        return Host.of(self._opening, self.id, urlsplit(self._url).hostname or "")

    def _ask(self, question: str, deadline: Deadline) -> Listing:
        limit = deadline.at_most(LIST_SECONDS)
        host = self._host()
        for last in (False,) * (TRIES - 1) + (True,):
            host.check()
            try:
                return self._list(question, limit)
            except LookupFailure as failure:
                host.count(failure)
                deadline.check()
                passing = isinstance(failure, PassingFailure)
                if last or passing or failure.kind in _FINAL or limit.remaining() == 0:
                    raise
            time.sleep(PAUSE_SECONDS)
        raise AssertionError("the last try returns or raises")

    def _list(self, question: str, limit: Deadline) -> Listing:
        with self._request(question).open(None, limit) as reply:
            judge(reply)
            return parse_listing(read_small(reply, LIST_BYTES))

    def _request(self, parameters: str) -> WebRequest:
        """`parameters` are appended to those that the configured URL has already."""
        parts = urlsplit(self._url)
        query = f"{parts.query}&{parameters}" if parts.query else parameters
        url = urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
        return WebRequest(session(self._opening.trust), url, self._headers)


def _question(wanted: Wanted) -> str:
    ids = {"debug_id": str(wanted.debug_id) if wanted.debug_id else "", "code_id": wanted.code_id or ""}
    return urlencode({name: value for name, value in ids.items() if value})


def _credentials(config: SentryConfig) -> dict[str, str]:
    headers = {}
    if config.token:
        headers["Authorization"] = f"Bearer {config.token}"
    if config.cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in config.cookies.items())
    return headers
