"""Fetch one file over HTTP: redirects, limits in time, and plain words for what went wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import SplitResult, urldefrag, urljoin, urlsplit

import requests
from urllib3.exceptions import DecodeError, HTTPError, LocationValueError, ReadTimeoutError

from engine.errors import FailureKind, LookupFailure
from engine.outgoing.connections import (
    CONNECT_SECONDS,
    HEADERS_SECONDS,
    IDLE_SECONDS,
    DestinationRestricted,
    current_deadline,
)
from engine.outgoing.cutoff import CutOff
from engine.outgoing.deadline import Deadline

MAX_REDIRECTS = 10
CHUNK_BYTES = 1 << 16
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Answers a request without permission with a redirect to a login page.
LOGIN_REDIRECTS = frozenset({"dev.azure.com"})
DEFAULT_PORTS = {"http": 80, "https": 443}
DECODED = frozenset({"", "identity", "gzip", "x-gzip", "deflate", "zstd"})


class PassingFailure(LookupFailure):
    """A failure that says something about us or this moment and nothing about the file: it is not remembered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The status line of the last response; the body went to the target if the status is 200."""

    status: int
    reason: str

    def __str__(self) -> str:
        return f"{self.status} {self.reason}".strip()


def download(
    session: requests.Session,
    url: str,
    target: BinaryIO,
    *,
    headers: Mapping[str, str],
    deadline: Deadline,
    verify: bool = True,
) -> Answer:
    """GET `url` into `target`, following at most 10 redirects, and say how the server answered.

    `headers` go to the scheme, host and port of `url` only. `deadline` is the end of the whole transfer.
    Raises LookupFailure (unreachable, timed out, malformed) when there is no answer or its body did not arrive whole.
    """
    token = current_deadline.set(deadline)
    try:
        with _follow(session, url, dict(headers), verify) as response:
            if response.status_code == requests.codes.ok:
                for chunk in _received(response, deadline):
                    target.write(chunk)
            return Answer(response.status_code, response.reason or "")
    finally:
        current_deadline.reset(token)


def unreachable(problem: str) -> LookupFailure:
    return LookupFailure(FailureKind.UNREACHABLE, f"download failed: {problem}")


def timed_out(seconds: float) -> LookupFailure:
    whole = int(seconds)
    text = f"{whole // 60}m" if whole >= 60 and whole % 60 == 0 else f"{whole}s"
    return LookupFailure(FailureKind.TIMED_OUT, f"download timed out after {text}")


def origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """Scheme, host and port: what credentials are bound to."""
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _follow(session: requests.Session, url: str, headers: dict[str, str], verify: bool) -> requests.Response:
    for _ in range(MAX_REDIRECTS + 1):
        response = _get(session, url, headers, verify)
        following = _redirect(url, response)
        if following is None:
            return response
        response.close()
        if origin(urlsplit(following)) != origin(urlsplit(url)):
            headers = {}
        url = following
    raise unreachable("too many redirects")


def _get(session: requests.Session, url: str, headers: dict[str, str], verify: bool) -> requests.Response:
    try:
        return session.get(
            url,
            headers=headers,
            allow_redirects=False,
            stream=True,
            timeout=(CONNECT_SECONDS, IDLE_SECONDS),
            verify=verify,
        )
    except DestinationRestricted as error:
        raise PassingFailure(FailureKind.UNREACHABLE, f"download failed: {error.message}") from None
    except (requests.RequestException, HTTPError, OSError) as error:
        raise _failure(error) from error


def _redirect(url: str, response: requests.Response) -> str | None:
    """Where the response sends us; None when it is to be taken as it is."""
    place = response.headers.get("Location")
    if response.status_code not in REDIRECTS or not place:
        return None
    if response.status_code == requests.codes.found and urlsplit(url).hostname in LOGIN_REDIRECTS:
        return None
    try:
        following = urldefrag(urljoin(url, place.encode("latin-1", "replace").decode("utf-8", "replace"))).url
        scheme, host, _ = origin(urlsplit(following))
    except ValueError:
        raise unreachable("redirect to an address that is not valid") from None
    if scheme not in DEFAULT_PORTS or not host:
        raise unreachable("redirect to something that is not http or https")
    return following


def _received(response: requests.Response, deadline: Deadline) -> Iterator[bytes]:
    """The decoded body, piece by piece."""
    codings = {part.strip().lower() for part in response.headers.get("Content-Encoding", "").split(",")}
    if not codings <= DECODED:
        raise LookupFailure(FailureKind.MALFORMED, "the content encoding is not known")
    started = time.monotonic()
    with CutOff(getattr(response.raw, "guarded_socket", None), deadline.remaining()) as cut:
        try:
            yield from response.raw.stream(CHUNK_BYTES, decode_content=True)
        except (HTTPError, OSError) as error:
            if not cut.happened:
                raise _failure(error) from error
    if cut.happened:
        raise timed_out(time.monotonic() - started)


def _failure(error: Exception) -> LookupFailure:
    """The error of one of three libraries in our words. What the peer sent is not repeated."""
    reason = _innermost(error)
    if isinstance(error, requests.ConnectTimeout):
        return timed_out(CONNECT_SECONDS)
    if isinstance(error, (requests.ReadTimeout, ReadTimeoutError, TimeoutError)) or isinstance(reason, TimeoutError):
        return timed_out(HEADERS_SECONDS)
    if isinstance(error, DecodeError):
        return LookupFailure(FailureKind.MALFORMED, "the content encoding is broken")
    return unreachable(_words(error, reason))


def _words(error: Exception, reason: BaseException) -> str:
    if isinstance(error, (LocationValueError, requests.exceptions.InvalidURL)):
        return "the address cannot be used"
    if isinstance(error, requests.exceptions.SSLError):
        return "the TLS connection could not be made"
    if "resolve" in type(reason).__name__.lower() or "NameResolution" in repr(error):
        return "the host name cannot be resolved"
    if isinstance(reason, ConnectionRefusedError):
        return "connection refused"
    return "the connection broke off"


def _innermost(error: BaseException) -> BaseException:
    for _ in range(10):
        following = getattr(error, "reason", None) or error.__cause__ or error.__context__
        if not isinstance(following, BaseException):
            return error
        error = following
    return error
