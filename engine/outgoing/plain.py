"""Requests that need no preparation, which most are: a GET of an address that is written as it is sent.

`requests` spends as much processor time on preparing one as all the rest takes. Whatever is not plain goes its way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ProtocolError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry, Timeout

from engine.outgoing.connections import CONNECT_SECONDS, IDLE_SECONDS, POOLED_CONNECTIONS, StaleConnection

# Neither credentials nor escapes, fragments or anything that would be written differently.
_PORT = r"(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}))?"
_ADDRESS = re.compile(rf"\Ahttps?://[a-z0-9][a-z0-9.-]*{_PORT}/(?!/)[A-Za-z0-9/._~!$&'()*+,;=:@?-]*\Z")
_NAME = re.compile(r"\A[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_VALUE = re.compile(r"\A(?:[\x21-\x7e][\x20-\x7e]*)?\Z")
_TIMEOUT = Timeout(connect=CONNECT_SECONDS, read=IDLE_SECONDS)


def is_plain(url: str, headers: Mapping[str, str]) -> bool:
    """Whether a GET goes out just as it stands here."""
    if not _ADDRESS.match(url) or "/." in url:
        return False
    return all(_NAME.match(name) and _VALUE.match(value) for name, value in headers.items())


def get(session: requests.Session, url: str, headers: Mapping[str, str], *, verify: bool) -> BaseHTTPResponse:
    """The answer to a plain GET over a connection of the session, its body unread. Raises what urllib3 raises."""
    adapter: Any = session.get_adapter(url)
    # The address is all that is asked of the request there.
    pool = adapter.get_connection_with_tls_context(SimpleNamespace(url=url), verify)
    adapter.cert_verify(pool, url, verify, None)
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return _asked(pool, target, _joined(session.headers, headers), adapter.max_retries)


def _asked(pool: HTTPConnectionPool, target: str, headers: Mapping[str, str], retries: Retry) -> BaseHTTPResponse:
    """Ask over an idle connection, and over another one as often as idle ones turn out to have been closed."""
    for left in reversed(range(POOLED_CONNECTIONS + 1)):
        try:
            return pool.urlopen(
                "GET",
                target,
                headers=headers,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                retries=retries,
                timeout=_TIMEOUT,
            )
        except ProtocolError as error:
            if not left or not isinstance(error.args[-1], StaleConnection):
                raise
    raise AssertionError("the last try returns or raises")


def _joined(usual: Mapping[str, Any], own: Mapping[str, str]) -> dict[str, str]:
    """The session's headers and those of the request, which win whatever their case."""
    rows = {name.lower(): (name, value) for name, value in (*usual.items(), *own.items())}
    return dict(rows.values())
