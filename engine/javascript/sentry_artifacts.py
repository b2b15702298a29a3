"""Artifacts on a server that speaks Sentry's artifact-lookup protocol, as a request names it in `source`."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import time
from collections.abc import Sequence
from typing import BinaryIO
from urllib.parse import quote_plus, urlsplit

import msgspec

from engine.decoding import BadJson, BadSchema, decode_body
from engine.errors import FailureKind, LookupFailure
from engine.javascript.artifacts import Listed, NearMiss, Query
from engine.javascript.listings import answers, parse_answer
from engine.javascript.urls import is_absolute_url
from engine.outgoing import Deadline, PassingFailure, Trust, WebRequest, read_small, session
from engine.owners import owner_tag
from engine.sourcetypes.answers import judge, judged
from engine.sourcetypes.tries import PAUSE_SECONDS, TRIES, Host, fetch_file

LOOKUP_SECONDS = 30.0
LONGEST_URL = 65_534
MAX_ANSWER_BYTES = 4 << 20
_FINAL = frozenset({FailureKind.NOT_FOUND, FailureKind.REFUSED, FailureKind.TIMED_OUT})
_HEADER_VALUE = re.compile(r"\A[\t\x20-\x7e\x80-\xff]*\Z")
_log = logging.getLogger(__name__)


class ArtifactSource(msgspec.Struct, frozen=True):
    """The `source` of a request, with either a token or cookies."""

    id: str
    url: str
    token: str | None = None
    cookies: str | dict[str, str] | None = None

    def __repr__(self) -> str:
        return f"<ArtifactSource {self.id!r}>"


_SOURCE = msgspec.json.Decoder(ArtifactSource)


def open_artifacts(
    source: bytes | msgspec.Raw, *, owner: str, trust: Trust, digest_key: bytes, path: str = "$.source"
) -> SentryArtifacts:
    """The server that the raw JSON of `source` names, for `owner`. Connects to nothing. Raises BadSchema.

    `digest_key` is the secret under which configurations are digested into cache keys.
    """
    try:
        config = decode_body(_SOURCE, bytes(source))
    except BadSchema as error:
        raise BadSchema(error.message.replace("$", path, 1)) from None
    except BadJson:
        raise BadSchema(f"{path}: is not valid JSON") from None
    _check(config, path)
    text = msgspec.json.encode([owner, "artifacts", config], order="deterministic")
    cache_key = owner_tag(owner) + hmac.new(digest_key, text, hashlib.sha256).hexdigest()
    return SentryArtifacts(config, owner=owner, cache_key=cache_key, trust=trust)


class SentryArtifacts:
    """Asks a server which files it has for a query. Credentials go only where the server's own URL begins the URL."""

    def __init__(self, config: ArtifactSource, *, owner: str, cache_key: str, trust: Trust) -> None:
        self.id = config.id
        self.cache_key = cache_key
        self._url = config.url
        self._owner = owner
        self._trust = trust
        self._credentials = _credentials(config)

    def __repr__(self) -> str:
        return f"<SentryArtifacts {self.id!r}>"

    def lookup(self, query: Query, deadline: Deadline) -> Sequence[Listed]:
        """What the server lists; answers are kept in memory for an hour. Raises DeadlineExceeded."""
        question = _question(query)
        url = _appended(self._url, question)
        if not question or len(url) > LONGEST_URL:
            return ()
        known = answers.get((self.cache_key, question))
        if known is not None:
            return known
        try:
            content = self._ask(url, deadline)
            found = parse_answer(content)
        except LookupFailure as failure:
            _log.warning("an artifact lookup failed", extra={"source": self.id, "problem": failure.message})
            return ()
        answers.put((self.cache_key, question), found, len(content))
        return found

    def fetch(self, listed: Listed, target: BinaryIO, deadline: Deadline) -> None:
        request = WebRequest(session(self._trust), listed.url, self._headers(listed.url))
        fetch_file(judged(lambda _: request), target, self._host(listed.url), deadline)

    def near_misses(self, query: Query) -> Sequence[NearMiss]:
        return ()

    def _ask(self, url: str, deadline: Deadline) -> bytes:
        limit = deadline.at_most(LOOKUP_SECONDS)
        host = self._host(url)
        for last in (False,) * (TRIES - 1) + (True,):
            host.check()
            try:
                return self._read(url, limit)
            except LookupFailure as failure:
                host.count(failure)
                deadline.check()
                final = failure.kind in _FINAL or isinstance(failure, PassingFailure)
                if last or final or limit.remaining() == 0:
                    raise
            time.sleep(PAUSE_SECONDS)
        raise AssertionError("the last try returns or raises")

    def _read(self, url: str, limit: Deadline) -> bytes:
        with WebRequest(session(self._trust), url, self._headers(url)).open(None, limit) as reply:
            judge(reply)
            return read_small(reply, MAX_ANSWER_BYTES)

    def _headers(self, url: str) -> dict[str, str]:
        own = {"Accept-Encoding": "identity"}
        return own | self._credentials if _is_below(url, self._url) else own

    def _host(self, url: str) -> Host:
        return Host(self._owner, (urlsplit(url).hostname or "").lower())


def _check(config: ArtifactSource, path: str) -> None:
    if (config.token is None) == (config.cookies is None):
        raise BadSchema(f"{path}: exactly one of `token` and `cookies` is required")
    if not is_absolute_url(config.url) or not _has_host(config.url):
        raise BadSchema(f"{path}.url: must be an http or https URL")
    if not all(_HEADER_VALUE.match(value) for value in _credentials(config).values()):
        raise BadSchema(f"{path}: the credentials hold characters that no header can have")


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _is_below(url: str, base: str) -> bool:
    """Whether `url` begins with `base` and leads to the same host: `https://a.test` is no part of `https://a.testing`."""
    return url.startswith(base) and urlsplit(url).netloc == urlsplit(base).netloc


def _credentials(config: ArtifactSource) -> dict[str, str]:
    if config.token is not None:
        return {"Authorization": f"Bearer {config.token}"}
    cookies = config.cookies or ""
    if isinstance(cookies, dict):
        cookies = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"Cookie": cookies}


def _question(query: Query) -> str:
    """The parameters in the order that the protocol has; empty when nothing is known to ask by."""
    stems = query.stems if query.release is not None else ()
    if not query.debug_ids and not stems:
        return ""
    pairs = [("release", query.release)] if query.release is not None else []
    pairs += [("url", stem) for stem in stems]
    pairs += [("dist", query.dist)] if query.dist is not None else []
    pairs += [("debug_id", str(debug_id)) for debug_id in query.debug_ids]
    return "&".join(f"{name}={quote_plus(value or '', safe='*-._')}" for name, value in pairs)


def _appended(url: str, question: str) -> str:
    """`question` behind the parameters that the URL has already."""
    plain = url.partition("#")[0]
    separator = "" if plain.endswith(("?", "&")) else "&" if "?" in plain else "?"
    return f"{plain}{separator}{question}"
