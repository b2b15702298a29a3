"""The address that the web processes listen at, kept by the supervisor."""

from __future__ import annotations

import http.client
import socket
from typing import Final

from symbolsvc.environment import ConfigurationError

_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - what users may ask for


class Address:
    """A host and port, reserved: web processes share it (SO_REUSEPORT), nobody else can take it.

    Port 0 becomes a free one. Raises ConfigurationError when it is in use or does not exist.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        try:
            family, _, _, _, address = socket.getaddrinfo(
                host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            self._check_free(family, address)
            self._reserved = socket.socket(family, socket.SOCK_STREAM)
            self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            self._reserved.bind(address)
        except OSError as error:
            raise ConfigurationError(f"{host}:{port}: {error.strerror}") from None
        self.port: int = self._reserved.getsockname()[1]

    @staticmethod
    def _check_free(family: int, address: object) -> None:
        # Without SO_REUSEPORT: with it, a second service of the same user would take half of the first one's requests.
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return self._joined(self.host)

    def _joined(self, host: str) -> str:
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def close(self) -> None:
        """Reserve it no longer in this process; to be called by a process that was forked from the reserving one."""
        self._reserved.close()

    def answers(self, path: str) -> bool:
        """Whether a request for `path` is answered 200."""
        connection = http.client.HTTPConnection(_ANY.get(self.host, self.host), self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
