"""Scripts, maps and sources from the web itself, as far as the rules allow, through the one door."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import BinaryIO
from urllib.parse import urlsplit

from engine.errors import FailureKind, LookupFailure
from engine.javascript.inputs import Inputs, Place
from engine.javascript.urls import without_fragment
from engine.javascript.wire import ScrapingRules
from engine.lookup.origins import is_allowed
from engine.lookup.plain_files import Errand, PlainFile
from engine.outgoing import Deadline, Trust, WebRequest, session
from engine.sourcetypes.answers import judged
from engine.sourcetypes.tries import Host, fetch_file

HOUR_SECONDS = 3600
MAX_SCRAPED_BYTES = 256 << 20
_SCHEMES = ("http", "https")
# Parsers of URLs disagree about these, and so would what is checked and what is connected to.
_AMBIGUOUS = re.compile(r"\A[^/]*//[^/?#]*[\\ ]|[\x00-\x1f\x7f]")
_NOT_SENT = frozenset({"connection", "content-length", "expect", "host", "range", "te", "trailer", "transfer-encoding"})


class Reason(StrEnum):
    """Why a file could not be had from the web, in the words of the wire."""

    NOT_FOUND = "not_found"
    DISABLED = "disabled"
    INVALID_HOST = "invalid_host"
    PERMISSION_DENIED = "permission_denied"
    TIMEOUT = "timeout"
    DOWNLOAD_ERROR = "download_error"
    OTHER = "other"


_REASONS = {
    FailureKind.NOT_FOUND: Reason.NOT_FOUND,
    FailureKind.REFUSED: Reason.PERMISSION_DENIED,
    FailureKind.TIMED_OUT: Reason.TIMEOUT,
    FailureKind.UNREACHABLE: Reason.DOWNLOAD_ERROR,
}


class ScrapeFailure(LookupFailure):
    """A file could not be scraped."""

    def __init__(self, reason: Reason, details: str = "", kind: FailureKind = FailureKind.NOT_CONFIGURED) -> None:
        super().__init__(kind, details)
        self.reason = reason
        if kind is FailureKind.NOT_CONFIGURED:
            words = "scraping is disabled" if reason is Reason.DISABLED else reason.value.replace("_", " ")
            self.message = f"{words}: {details}" if details else words

    @classmethod
    def of(cls, failure: LookupFailure) -> ScrapeFailure:
        return cls(_REASONS.get(failure.kind, Reason.OTHER), failure.details, failure.kind)


@dataclass(frozen=True, slots=True)
class Door:
    """How a request may go to the web. Headers may hold secrets."""

    rules: ScrapingRules
    trust: Trust = Trust.NONE


@dataclass(frozen=True, slots=True)
class Scraped:
    """A file from the web; `origin` is its URL with the time of the hour that it counts for."""

    file: PlainFile
    origin: str


def scrape(url: str, door: Door, inputs: Inputs, place: Place, deadline: Deadline) -> Scraped:
    """The file at an absolute URL, asked for once an hour. Raises ScrapeFailure, OSError and DeadlineExceeded."""
    url = without_fragment(url)
    check_allowed(url, door)
    hour = _hour_of(url, time.time())
    headers = {name: value for name, value in door.rules.headers if name.lower() not in _NOT_SENT}
    request = WebRequest(session(door.trust), url, headers, verify=door.rules.verify_ssl)
    host = Host(place.labels.owner, (urlsplit(url).hostname or "").lower())

    def fetch(target: BinaryIO) -> None:
        fetch_file(judged(lambda _: request), target, host, deadline)

    key = place.key("scraped", url, str(hour), *_apart(door))
    errand = Errand(key, place.labels, fetch, MAX_SCRAPED_BYTES, check=_present)
    try:
        return Scraped(inputs.obtain(place, errand, deadline), f"{url}#{hour}")
    except LookupFailure as failure:
        raise ScrapeFailure.of(failure) from None


def check_allowed(url: str, door: Door) -> None:
    """Raise ScrapeFailure unless the rules allow to go to an absolute URL."""
    if not door.rules.enabled:
        raise ScrapeFailure(Reason.DISABLED)
    scheme = url.partition(":")[0].lower()
    if scheme not in _SCHEMES:
        raise ScrapeFailure(Reason.INVALID_HOST, f"`{scheme}` is not an allowed download scheme")
    if not covers(url, door.rules.allowed_origins):
        raise ScrapeFailure(Reason.INVALID_HOST, f"{url} is not an allowed download origin")
    host = _host(url)
    if not host:
        raise ScrapeFailure(Reason.INVALID_HOST, f"{url} names no host that could be asked")
    if host in ("localhost", "127.0.0.1") and not door.trust.allows(host, ip_address("127.0.0.1")):
        raise ScrapeFailure(Reason.INVALID_HOST, f"Can't connect to restricted host {host}")


def covers(url: str, origins: tuple[str, ...]) -> bool:
    """Whether allowed origins cover a URL.

    A pattern with a port and a path covers nothing but the URL that it spells out: that is what clients know.
    """
    if _AMBIGUOUS.search(url):
        return False
    return is_allowed(url, [pattern for pattern in origins if pattern == url or not _has_port_and_path(pattern)])


def _has_port_and_path(pattern: str) -> bool:
    authority, slash, _ = pattern.rpartition("://")[2].partition("/")
    return bool(slash) and ":" in authority


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return ""
    return (parts.hostname or "").lower()


def _present(content: memoryview) -> None:
    if not content:
        raise LookupFailure(FailureKind.NOT_FOUND)


def _hour_of(url: str, now: float) -> int:
    """The start of the hour that `now` lies in; each URL has hours of its own, so that not all are due at once."""
    offset = int.from_bytes(hashlib.sha256(url.encode(errors="surrogatepass")).digest()[:8], "big") % HOUR_SECONDS
    return int((now - offset) // HOUR_SECONDS) * HOUR_SECONDS + offset


def _apart(door: Door) -> list[str]:
    """What decides about the answer of a server, or about whether it may be asked."""
    trust = "all" if door.trust.everything else ",".join([*map(str, door.trust.networks), *sorted(door.trust.hosts)])
    return [trust, str(door.rules.verify_ssl), *(text for pair in door.rules.headers for text in pair)]
