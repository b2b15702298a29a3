"""Bodies that work, and a small client for `symbol-sources/` endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.cast import Api

HIDDEN = {"hidden-secret": True}
SECRETS = {
    "http": "password",
    "s3": "secret_key",
    "gcs": "private_key",
    "appStoreConnect": "appconnectPrivateKey",
}
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n"

HTTP = {
    "id": "honk",
    "type": "http",
    "name": "honk source",
    "layout": {"type": "native"},
    "url": "http://honk.beep",
    "username": "honkhonk",
    "password": "beepbeep",
}
S3 = {
    "id": "bucket",
    "type": "s3",
    "name": "Bucket",
    "layout": {"type": "symstore", "casing": "lowercase"},
    "bucket": "symbols",
    "region": "us-east-1",
    "access_key": "AKIA1",
    "secret_key": "wJalr",
    "prefix": "windows/",
}
GCS = {
    "id": "gcs",
    "type": "gcs",
    "name": "GCS",
    "layout": {"type": "unified", "casing": "default"},
    "bucket": "symbols",
    "client_email": "reader@example.iam.gserviceaccount.com",
    "private_key": KEY,
}
APPLE = {
    "id": "app",
    "type": "appStoreConnect",
    "name": "App",
    "appconnectIssuer": "57246542-96fe-1a63-e053-0824d011072a",
    "appconnectKey": "2X9R4HXF34",
    "appconnectPrivateKey": KEY,
    "appId": "1234567890",
}
BODIES = {body["type"]: body for body in (HTTP, S3, GCS, APPLE)}
LAYOUTS = ["native", "symstore", "symstore_index2", "ssqp", "unified", "debuginfod", "slashsymbols"]
CASINGS = [None, "default", "uppercase", "lowercase"]


def project_path(organization: object = "acme", project: object = "native-app") -> str:
    return f"/api/0/projects/{organization}/{project}/symbol-sources/"


def organization_path(organization: object = "acme") -> str:
    return f"/api/0/organizations/{organization}/symbol-sources/"


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def echo(body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a body that was stored: nulls are absent, secrets are markers."""
    shown = {
        name: {inner: item for inner, item in value.items() if item is not None} if isinstance(value, dict) else value
        for name, value in body.items()
        if value is not None
    }
    return {name: HIDDEN if name in SECRETS.values() else value for name, value in shown.items()}


@dataclass(frozen=True)
class Endpoint:
    """`symbol-sources/` of one project or organization, called by one client."""

    api: Api
    path: str

    def list(self) -> list[dict[str, Any]]:
        response = self.api.get(self.path)
        assert response.status_code == 200, response.content
        return response.json()

    def ids(self) -> list[str]:
        return [source["id"] for source in self.list()]

    def get(self, source_id: str):
        return self.api.get(self.at(source_id))

    def post(self, body: Any):
        return self.api.post(self.path, body)

    def put(self, source_id: str, body: Any):
        return self.api.put(self.at(source_id), body)

    def delete(self, source_id: str):
        return self.api.delete(self.at(source_id))

    def at(self, source_id: str) -> str:
        return f"{self.path}?id={quote(source_id, safe='')}"

    def add(self, *bodies: dict[str, Any]) -> None:
        for body in bodies:
            response = self.post(body)
            assert response.status_code == 201, response.content


def refused(response: Any, text: str, status: int = 400) -> None:
    """The refusal has one key and exactly this text."""
    assert response.status_code == status, response.content
    assert response.json() == {"error": text}
