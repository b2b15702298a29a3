"""Ask a web server for one file: redirects, limits in time, and plain words for what went wrong."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO, cast
from urllib.parse import SplitResult, urldefrag, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from engine.errors import FailureKind, LookupFailure, SymbolsvcError
from engine.outgoing import plain
from engine.outgoing.connections import CONNECT_SECONDS, IDLE_SECONDS, current_deadline
from engine.outgoing.cutoff import CutOff
from engine.outgoing.deadline import Deadline
from engine.outgoing.failures import explain, timed_out, unreachable
from engine.outgoing.reply import Part, Reply

MAX_REDIRECTS = 10
CHUNK_BYTES = 1 << 16
FILES = frozenset({200, 206})
# What is read of an answer that is no file, and for how long: opening another connection would cost more.
REST_BYTES = 1 << 16
REST_SECONDS = 1.0
HTTP_1_1 = 11
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Answers a request without permission with a redirect to a login page.
LOGIN_REDIRECTS = frozenset({"dev.azure.com"})
DEFAULT_PORTS = {"http": 80, "https": 443}
DECODED = frozenset({"", "identity", "gzip", "x-gzip", "deflate", "zstd"})


@dataclass(frozen=True, slots=True)
class Answer:
    """The status line of the last response; the body went to the target if the status is 200."""

    status: int
    reason: str

    def __str__(self) -> str:
        return f"{self.status} {self.reason}".strip()


@dataclass(frozen=True, slots=True)
class WebRequest:
    """A GET of `url`, or a POST of a form or file, or another `method`. `headers` go to its scheme, host and port only.

    Both may hold secrets. Only a GET follows redirects.
    """

    session: requests.Session = field(repr=False)
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    verify: bool = True
    body: Mapping[str, str] | BinaryIO | None = field(default=None, repr=False)
    method: str | None = None

    @contextmanager
    def open(self, part: Part | None, deadline: Deadline) -> Iterator[Reply]:
        """The answer, up to 10 redirects later, until the end of the block; the whole exchange ends at `deadline`.

        Raises LookupFailure (unreachable, timed out), also from the body (and malformed).
        """
        token = current_deadline.set(deadline)
        try:
            response = self._follow(part.headers() if part else {}, deadline)
            try:
                headers = {name.lower(): response.headers[name] for name in response.headers}
                chunks = partial(_received, response, deadline)
                yield Reply(response.status, response.reason or "", headers, chunks)
            finally:
                _let_go(response, deadline)
        finally:
            current_deadline.reset(token)

    @property
    def _method(self) -> str:
        return self.method or ("GET" if self.body is None else "POST")

    def _follow(self, extra: dict[str, str], deadline: Deadline) -> BaseHTTPResponse:
        url, headers = self.url, {**self.headers, **extra}
        for _ in range(MAX_REDIRECTS + 1):
            response = self._ask(url, headers)
            try:
                following = _redirect(url, response)
            except LookupFailure:
                _let_go(response, deadline)
                raise
            if following is None:
                return response
            _let_go(response, deadline)
            if self._method != "GET":
                raise unreachable("redirected where no redirect is expected")
            if origin(urlsplit(following)) != origin(urlsplit(url)):
                headers = extra
            url = following
        raise unreachable("too many redirects")

    def _ask(self, url: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
        try:
            if self._method == "GET" and self.body is None and plain.is_plain(url, headers):
                return plain.get(self.session, url, headers, verify=self.verify)
            response = self.session.request(
                self._method,
                url,
                headers=headers,
                data=self.body,
                allow_redirects=False,
                stream=True,
                timeout=(CONNECT_SECONDS, IDLE_SECONDS),
                verify=self.verify,
            )
            return cast(BaseHTTPResponse, response.raw)
        except (requests.RequestException, HTTPError, OSError, SymbolsvcError) as error:
            failure = explain(error)
        # Raised out here, since the library's texts hold the whole URL and must not stay attached as the context.
        raise failure


def download(
    session: requests.Session,
    url: str,
    target: BinaryIO,
    *,
    headers: Mapping[str, str],
    deadline: Deadline,
    verify: bool = True,
) -> Answer:
    """GET `url` into `target` in one piece, and say how the server answered.

    Raises LookupFailure (unreachable, timed out, malformed) when there is no answer or its body did not arrive whole.
    """
    with WebRequest(session, url, headers, verify).open(None, deadline) as reply:
        if reply.status == requests.codes.ok:
            for chunk in reply.chunks():
                target.write(chunk)
        return Answer(reply.status, reply.reason)


def read_small(reply: Reply, limit: int) -> bytes:
    """The body of an answer that has no business being longer than `limit` bytes. Raises LookupFailure."""
    content = bytearray()
    for chunk in reply.chunks():
        content += chunk
        if len(content) > limit:
            raise LookupFailure(FailureKind.TOO_LARGE, "the answer is larger than allowed")
    return bytes(content)


def origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """Scheme, host and port: what credentials are bound to."""
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def stream(raw: Any, deadline: Deadline, *, decode: bool) -> Generator[bytes]:
    """The body of a response of a guarded connection, piece by piece, until the deadline. Raises LookupFailure."""
    started = time.monotonic()
    failure = None
    with CutOff(getattr(raw, "guarded_socket", None), deadline.remaining()) as cut:
        try:
            yield from raw.stream(CHUNK_BYTES, decode_content=decode)
        except (HTTPError, OSError) as error:
            failure = explain(error)
    if cut.happened:
        raise timed_out(time.monotonic() - started)
    if failure is not None:
        raise failure


def _let_go(response: BaseHTTPResponse, deadline: Deadline) -> None:
    """Read the rest of a small answer that is no file, so that its connection can be used again; else end that."""
    if response.status not in FILES and response.connection is not None and _is_small(response):
        received = 0
        with suppress(LookupFailure), closing(stream(response, deadline.at_most(REST_SECONDS), decode=False)) as rest:
            for chunk in rest:
                received += len(chunk)
                if received >= REST_BYTES:
                    break
    response.close()
    response.release_conn()


def _is_small(response: BaseHTTPResponse) -> bool:
    """Whether a body ends soon and before the connection does, as far as its server says."""
    if response.version < HTTP_1_1 or "close" in response.headers.get("Connection", "").lower():
        return False
    length = response.headers.get("Content-Length", "").strip()
    if "chunked" in response.headers.get("Transfer-Encoding", "").lower():
        return True
    return length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= REST_BYTES


def _redirect(url: str, response: BaseHTTPResponse) -> str | None:
    """Where the response sends us; None when it is to be taken as it is."""
    place = response.headers.get("Location")
    if response.status not in REDIRECTS or not place:
        return None
    if response.status == requests.codes.found and urlsplit(url).hostname in LOGIN_REDIRECTS:
        return None
    try:
        following = urldefrag(urljoin(url, place.encode("latin-1", "replace").decode("utf-8", "replace"))).url
        scheme, host, _ = origin(urlsplit(following))
    except ValueError:
        raise unreachable("redirect to an address that is not valid") from None
    if scheme not in DEFAULT_PORTS or not host:
        raise unreachable("redirect to something that is not http or https")
    return following


def _received(response: BaseHTTPResponse, deadline: Deadline) -> Iterator[bytes]:
    """The decoded body, piece by piece."""
    codings = {part.strip().lower() for part in response.headers.get("Content-Encoding", "").split(",")}
    if not codings <= DECODED:
        raise LookupFailure(FailureKind.MALFORMED, "the content encoding is not known")
    yield from stream(response, deadline, decode=True)
