"""The way to a host, one step at a time, through the same guarded connections that downloads use."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import certifi
from urllib3.exceptions import HTTPError

from engine.errors import SymbolsvcError
from engine.outgoing.connections import DestinationRestricted, current_deadline, pool_classes
from engine.outgoing.deadline import Deadline
from engine.outgoing.failures import PassingFailure, explain, unreachable
from engine.outgoing.trust import Trust

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Way:
    """To the host of `url`. Every step raises LookupFailure, in words that name neither address nor secret."""

    url: str
    trust: Trust
    deadline: Deadline

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def secure(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    def resolve(self) -> int:
        """How many addresses the name leads to that may be connected."""
        count = len(self._guarded(lambda: list(self._connection("http")._checked_addresses())))
        if not count:
            raise explain(DestinationRestricted())
        return count

    def connect(self) -> None:
        """Open a connection and close it."""
        self._open("http")

    def handshake(self) -> None:
        """Open a connection with TLS, the certificate verified, and close it."""
        self._open("https", cert_reqs="CERT_REQUIRED", ca_certs=certifi.where())

    def _open(self, scheme: str, **options: Any) -> None:
        connection = self._connection(scheme, **options)
        try:
            self._guarded(connection.connect)
        finally:
            connection.close()

    def _connection(self, scheme: str, **options: Any) -> Any:
        parts = urlsplit(self.url)
        port = parts.port or _PORTS[parts.scheme]
        return pool_classes(self.trust)[scheme].ConnectionCls(self.host, port, timeout=5.0, **options)

    def _guarded(self, act: Callable[[], Any]) -> Any:
        token = current_deadline.set(self.deadline)
        try:
            return act()
        except ssl.SSLCertVerificationError as error:
            raise unreachable(f"the certificate is not accepted: {error.verify_message}") from None
        except (HTTPError, OSError, SymbolsvcError) as error:
            raise _explained(error) from None
        finally:
            current_deadline.reset(token)


def _explained(error: Exception) -> Exception:
    reason = error.args[0] if error.args else None
    if isinstance(reason, ssl.SSLCertVerificationError):
        return unreachable(f"the certificate is not accepted: {reason.verify_message}")
    return error if isinstance(error, PassingFailure) else explain(error)
