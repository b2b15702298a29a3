"""Members that look at pages, and the forms of sources."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client

from projects.access import SYSTEM
from projects.models import Organization, Project
from sources.models import SymbolSource
from sources.selectors import Place
from sources.services import create_source
from sources.validation import read_source
from tests.sources.helpers import APPLE, GCS, HTTP, KEY, S3

PROJECT = "/organizations/acme/native-app/sources/"
ORGANIZATION = "/organizations/acme/sources/"
CANARY = "canary-page-7f3a"
FORMS: dict[str, dict[str, Any]] = {
    "http": {
        "name": "Builds",
        "source_id": "builds",
        "url": "https://symbols.example.com/files",
        "username": "reader",
        "password": CANARY,
        "layout_type": "symstore",
        "casing": "lowercase",
        "filetypes": ["pe", "pdb"],
        "path_patterns": "ledger*\r\n**/lib*",
        "requires_checksum": "on",
    },
    "s3": {
        "name": "Bucket",
        "bucket": "symbols",
        "region": "eu-central-1",
        "access_key": "AKIA1",
        "secret_key": CANARY,
        "prefix": "windows/",
        "layout_type": "native",
        "casing": "default",
    },
    "gcs": {
        "name": "GCS",
        "bucket": "symbols",
        "client_email": "reader@example.iam.gserviceaccount.com",
        "private_key": f"-----BEGIN PRIVATE KEY-----\r\n{CANARY}\r\n-----END PRIVATE KEY-----\r\n",
        "layout_type": "unified",
        "casing": "default",
    },
    "appStoreConnect": {
        "name": "App",
        "appconnectIssuer": "57246542-96fe-1a63-e053-0824d011072a",
        "appconnectKey": "2X9R4HXF34",
        "appconnectPrivateKey": f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n",
        "appId": "1234567890",
    },
}
BODIES = {
    "http": HTTP | {"password": CANARY},
    "s3": S3 | {"secret_key": CANARY},
    "gcs": GCS | {"private_key": KEY.replace("MIIEvQ", CANARY)},
    "appStoreConnect": APPLE | {"appconnectPrivateKey": KEY.replace("MIIEvQ", CANARY)},
}


def browser(user: Any, *, csrf: bool = False) -> Client:
    """Somebody's browser without scripts. `csrf`: forged posts are refused, as they are outside of tests."""
    client = Client(enforce_csrf_checks=csrf)
    if user is not None:
        client.force_login(user)
    return client


def make_source(
    organization: Organization, project: Project | None = None, kind: str = "http", **fields: Any
) -> SymbolSource:
    body = {**BODIES[kind], **fields}
    place = Place(organization, project)
    return create_source(place=place, submitted=read_source(body, may_keep=False), actor=SYSTEM)


def text(answer: HttpResponse) -> str:
    """A page, which never holds the secret."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    shown = content.decode()
    assert CANARY not in shown
    return shown


def names(place: Place) -> list[str]:
    return list(place.sources().values_list("source_id", flat=True))
