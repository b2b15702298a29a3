"""The few API calls that the demo makes, as any client would make them."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit


class DemoError(Exception):
    """A call was answered with something other than success."""


@dataclass(frozen=True, slots=True)
class Client:
    url: str
    organization: str
    project: str
    token: str

    @property
    def project_path(self) -> str:
        return f"/api/0/projects/{self.organization}/{self.project}"

    def call(self, method: str, path: str, body: object = None) -> Any:
        text = self._send(method, path, None if body is None else json.dumps(body).encode(), "application/json")
        return json.loads(text) if text else None

    def _send(self, method: str, path: str, body: bytes | None, content_type: str) -> bytes:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=120)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type}
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise DemoError(f"{method} {path}: {response.status} {text[:500].decode(errors='replace')}")
        return text

    def put_source(self, source: dict[str, Any]) -> None:
        """Create the source, or replace it when an earlier run left one with the same id."""
        path = f"{self.project_path}/symbol-sources/"
        known = {stored["id"] for stored in self.call("GET", path)}
        if source["id"] in known:
            self.call("PUT", f"{path}?id={quote(source['id'])}", source)
        else:
            self.call("POST", path, source)

    def submit(self, format_: str, report: bytes, attributes: dict[str, str]) -> None:
        """Send a crash as its client does: the token in the address, attributes in the query."""
        path = f"/{self.organization}/{self.token}/{format_}?{urlencode(attributes)}"
        self._send("POST", path, report, "application/octet-stream")

    def upload(self, file: Path) -> None:
        """Keep a debug file in the project."""
        self._send("POST", f"/{self.organization}/{self.token}/symbols", file.read_bytes(), "application/octet-stream")

    def symbolicate(self, request: object) -> Any:
        return self.call("POST", f"{self.project_path}/symbolicate/", request)
