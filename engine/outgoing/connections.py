"""Connections that check where they lead at the moment they open, and sessions made of them.

The name is resolved once, every address is checked, and the connection goes to a checked address: a second answer of
the name server, or a redirect, cannot lead elsewhere. TLS still verifies the name.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.response import HTTPResponse

from engine.errors import SymbolsvcError
from engine.outgoing.cutoff import CutOff
from engine.outgoing.deadline import Deadline
from engine.outgoing.trust import Trust

CONNECT_SECONDS = 5.0
HEADERS_SECONDS = 10.0
IDLE_SECONDS = 30.0
POOLED_HOSTS = 64
POOLED_CONNECTIONS = 32

# The deadline of the download that this thread is busy with.
current_deadline: ContextVar[Deadline] = ContextVar("current_deadline", default=Deadline.never())  # noqa: B039 - frozen


# Their records hold whole addresses, queries with signatures included, and what was signed.
for _talkative in ("urllib3", "boto3", "botocore"):
    logging.getLogger(_talkative).setLevel(logging.ERROR)


class DestinationRestricted(SymbolsvcError):
    """The name leads to reserved addresses only, and nothing allows these."""

    code = "destination_restricted"

    def __init__(self) -> None:
        super().__init__("destination is restricted")


class StaleConnection(ConnectionError):
    """The peer closed a connection that it had left open, at the moment when it was used again."""


class _Guarded(HTTPConnection):
    """What both kinds of connections do in place of urllib3's own opening and waiting."""

    trust = Trust.NONE
    _used = False

    def _new_conn(self) -> socket.socket:
        sock = self._open_checked()
        self._opening = CutOff(sock, _at_most(CONNECT_SECONDS))
        self._opening.__enter__()
        return sock

    def connect(self) -> None:
        """Open the connection; TLS included, it may take `CONNECT_SECONDS`, however slowly the peer drips."""
        self._opening, self._used = CutOff(None, 0), False
        try:
            super().connect()
        except OSError as error:
            if self._opening.happened:
                raise ConnectTimeoutError(self, "the handshake took too long") from error
            raise
        finally:
            self._opening.stop()

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3 answers its own kind of response
        """Wait for the headers at most `HEADERS_SECONDS`. Raises TimeoutError."""
        sock = self.sock
        with CutOff(sock, _at_most(HEADERS_SECONDS)) as cut:
            try:
                response = super().getresponse()
            except Exception as error:  # noqa: BLE001 - a cut surfaces as any of a dozen errors of three libraries
                if cut.happened:
                    raise TimeoutError("no headers in time") from error
                if self._used and isinstance(error, ConnectionError):
                    raise StaleConnection from error
                raise
        if cut.happened:
            # Headers that end too early are taken for complete by the library.
            raise TimeoutError("no headers in time")
        self._used = True
        response.guarded_socket = sock  # type: ignore[attr-defined]
        return response

    def _open_checked(self) -> socket.socket:
        addresses = list(self._checked_addresses())
        if not addresses:
            raise DestinationRestricted
        end = time.monotonic() + _at_most(CONNECT_SECONDS)
        failure: OSError = OSError("no address")
        for tried, (family, address) in enumerate(addresses):
            share = max(0.05, end - time.monotonic()) / (len(addresses) - tried)
            try:
                return self._open(family, address, share)
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "connecting took too long") from failure
        raise NewConnectionError(self, str(failure)) from failure

    def _checked_addresses(self) -> Iterator[tuple[int, Any]]:
        host = self._dns_host.strip("[]")
        try:
            found = socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NameResolutionError(self.host, self, socket.gaierror(str(error))) from error
        for family, _, _, _, address in found:
            if self.trust.allows(host, ip_address(address[0])):
                yield family, address

    def _open(self, family: int, address: Any, seconds: float) -> socket.socket:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            for option in self.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(seconds)
            sock.connect(address)
        except OSError:
            sock.close()
            raise
        sock.settimeout(CONNECT_SECONDS)
        return sock


class _GuardedTls(_Guarded, HTTPSConnection):
    """The same with TLS on top."""


def _at_most(seconds: float) -> float:
    return min(seconds, current_deadline.get().remaining())


def pool_classes(trust: Trust) -> dict[str, type[HTTPConnectionPool]]:
    """Pools whose connections know their trust; a class each, since urllib3 makes the connections itself."""
    plain = type("GuardedConnection", (_Guarded,), {"trust": trust})
    tls = type("GuardedTlsConnection", (_GuardedTls,), {"trust": trust})
    return {
        "http": type("GuardedPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("GuardedTlsPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
    }


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        super().__init__(pool_connections=POOLED_HOSTS, pool_maxsize=POOLED_CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = pool_classes(self._trust)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Redirects are followed by `download`; here they are answers like any other, and their bodies stay unread."""


_sessions: dict[Trust, requests.Session] = {}
_sessions_lock = threading.Lock()


def session(trust: Trust) -> requests.Session:
    """This process's session for `trust`: no proxies and netrc from the environment, no cookies, guarded connections.

    Sessions with different trust share no connections. A restricted address raises DestinationRestricted.
    """
    with _sessions_lock:
        if trust not in _sessions:
            _sessions[trust] = _new_session(trust)
        return _sessions[trust]


def _new_session(trust: Trust) -> requests.Session:
    made = _Session()
    made.trust_env = False
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.headers.clear()
    made.headers.update({"User-Agent": "symbolsvc", "Accept": "*/*", "Accept-Encoding": "gzip, deflate, zstd"})
    made.mount("http://", _GuardedAdapter(trust))
    made.mount("https://", _GuardedAdapter(trust))
    return made


def _forget_sessions() -> None:
    """A forked child must not write into its parent's connections."""
    global _sessions_lock
    _sessions.clear()
    _sessions_lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_sessions)
