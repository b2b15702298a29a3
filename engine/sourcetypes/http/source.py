"""A symbol server on the web."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import BinaryIO

from engine.errors import FailureKind, LookupFailure
from engine.modules import Wanted
from engine.outgoing import Answer, Deadline, PassingFailure, Trust, download, session, timed_out, unreachable
from engine.sourcetypes.base import FileType, Location
from engine.sourcetypes.config import HttpConfig
from engine.sourcetypes.filters import wanted_paths
from engine.sourcetypes.http.address import BaseAddress
from engine.sourcetypes.http.blocked import BlockedHosts, blocked_hosts

TRIES = 3
PAUSE_SECONDS = 0.02
DOWNLOAD_SECONDS = 300.0
# Sources under ids of this form are Sentry's own, and their hosts are never blocked.
TRUSTED_PREFIX = "sentry:"
# Framing belongs to the connection and cannot be configured.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "expect", "upgrade", "te", "trailer"})
_FINAL = frozenset({FailureKind.NOT_FOUND, FailureKind.REFUSED, FailureKind.TOO_LARGE})
_COUNTED = frozenset({FailureKind.UNREACHABLE, FailureKind.TIMED_OUT})


class HttpSource:
    """Asks a web server for files below its base URL."""

    def __init__(
        self,
        config: HttpConfig,
        *,
        owner: str,
        cache_key: str,
        shared: bool,
        trust: Trust,
        blocked: BlockedHosts = blocked_hosts,
    ) -> None:
        self.id = config.id
        self.cache_key = cache_key
        self.shared = shared
        self._config = config
        self._trust = trust
        self._blocked = blocked
        self._base = BaseAddress.parse(config.url)
        self._host = (owner, self._base.host)
        self._headers = _own_headers(config, self._base)

    def __repr__(self) -> str:
        return f"<HttpSource {self.id!r}>"

    def locate(self, wanted: Wanted, file_types: Sequence[FileType]) -> list[tuple[FileType, Location]]:
        """Where the files of a module could lie, best first."""
        paths = wanted_paths(self._config.filters, self._config.layout, wanted, file_types)
        return [(file_type, Location(path, self._base.show(path))) for file_type, path in paths]

    def fetch(self, location: Location, wanted: Wanted, target: BinaryIO, deadline: Deadline) -> None:
        """Stream the file to `target`, in up to three tries and at most five minutes. Raises LookupFailure."""
        limit = deadline.at_most(DOWNLOAD_SECONDS)
        for last in (False,) * (TRIES - 1) + (True,):
            self._check_host()
            try:
                return self._try(location, wanted, target, limit)
            except LookupFailure as failure:
                self._count(failure)
                deadline.check()
                if limit.remaining() == 0:
                    raise timed_out(DOWNLOAD_SECONDS) from failure
                if last or failure.kind in _FINAL or isinstance(failure, PassingFailure):
                    raise
            time.sleep(PAUSE_SECONDS)
        raise AssertionError("the last try returns or raises")

    def _try(self, location: Location, wanted: Wanted, target: BinaryIO, limit: Deadline) -> None:
        target.seek(0)
        target.truncate()
        headers = dict(self._headers)
        if wanted.debug_checksum and _fits_header(wanted.debug_checksum):
            headers["SymbolChecksum"] = wanted.debug_checksum
        answer = download(
            session(self._trust),
            self._base.request_url(location.path),
            target,
            headers=headers,
            deadline=limit,
            verify=not self._config.accept_invalid_certs,
        )
        _judge(answer)

    def _check_host(self) -> None:
        if not self.id.startswith(TRUSTED_PREFIX):
            self._blocked.check(self._host)

    def _count(self, failure: LookupFailure) -> None:
        counted = failure.kind in _COUNTED and not isinstance(failure, PassingFailure)
        if counted and not self.id.startswith(TRUSTED_PREFIX):
            self._blocked.failed(self._host, failure.details)


def _judge(answer: Answer) -> None:
    """Turn the status line into success or the failure it means."""
    if answer.status == 200:
        return
    if answer.status in (401, 403):
        raise LookupFailure(FailureKind.REFUSED, str(answer))
    if answer.status == 302:
        raise LookupFailure(FailureKind.REFUSED, "Potential login page detected")
    if 400 <= answer.status < 500:
        raise LookupFailure(FailureKind.NOT_FOUND)
    raise unreachable(str(answer))


def _own_headers(config: HttpConfig, base: BaseAddress) -> dict[str, str]:
    headers = {name: value for name, value in config.headers.items() if name.lower() not in _FRAMING}
    if base.authorization and not any(name.lower() == "authorization" for name in headers):
        headers["Authorization"] = base.authorization
    return headers


def _fits_header(text: str) -> bool:
    """Reports come from outside: a checksum with line breaks or the like is not sent."""
    return text.isascii() and text.isprintable()
