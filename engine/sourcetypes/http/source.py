"""A symbol server on the web."""

from __future__ import annotations

from engine.modules import Wanted
from engine.outgoing import Opener, WebRequest, session
from engine.sourcetypes.answers import judged
from engine.sourcetypes.base import Opening
from engine.sourcetypes.config import HttpConfig
from engine.sourcetypes.files import FilesSource
from engine.sourcetypes.http.address import BaseAddress
from engine.sourcetypes.tries import Host

# Framing belongs to the connection and cannot be configured, nor what part of a file is asked for.
_FRAMING = frozenset(
    {"content-length", "transfer-encoding", "connection", "expect", "upgrade", "te", "trailer", "range", "if-range"}
)


class HttpSource(FilesSource):
    """Asks a web server for files below its base URL."""

    def __init__(self, config: HttpConfig, opening: Opening) -> None:
        super().__init__(config, opening)
        self._verify = not config.accept_invalid_certs
        self._base = BaseAddress.parse(config.url)
        self._headers = _own_headers(config, self._base)

    def show(self, path: str) -> str:
        return self._base.show(path)

    def host(self) -> Host:
        return Host.of(self._opening, self.id, self._base.host)

    def opener(self, path: str, wanted: Wanted) -> Opener:
        headers = dict(self._headers)
        if wanted.debug_checksum and _fits_header(wanted.debug_checksum):
            headers["SymbolChecksum"] = wanted.debug_checksum
        request = WebRequest(session(self._opening.trust), self._base.request_url(path), headers, self._verify)
        return judged(lambda _: request)


def _own_headers(config: HttpConfig, base: BaseAddress) -> dict[str, str]:
    headers = {name: value for name, value in config.headers.items() if name.lower() not in _FRAMING}
    if base.authorization and not any(name.lower() == "authorization" for name in headers):
        headers["Authorization"] = base.authorization
    return headers


def _fits_header(text: str) -> bool:
    """Reports come from outside: a checksum with line breaks or the like is not sent."""
    return text.isascii() and text.isprintable()
