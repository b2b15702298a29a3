"""A project as it is after some weeks of use, made by the API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg

from symbolsvc.demo import crashes
from symbolsvc.demo.client import Client
from tests.service import Service

SCOPES = (
    "project:read", "project:write", "project:admin", "org:read", "org:write", "symbolicate:post", "error:post",
    "symbol:post", "event:read", "event:write", "query:post",
)  # fmt: skip
# What a script would have to run for a test to notice.
HOSTILE = "<script>alert('ran')</script><img src=x onerror=alert('ran')>\"'{{7*7}}</title></textarea>"


@dataclass(frozen=True)
class World:
    url: str
    client: Client
    email: str
    password: str
    paths: dict[str, str]

    def path(self, pattern: str) -> str:
        """A path with the names of this world in it."""
        return pattern.format(**self.paths)


def made(service: Service, symbols: str) -> World:
    """A world in an organization of its own on a running service."""
    email = f"owner-{uuid4().hex[:8]}@example.com"
    told = service.bootstrap(project="shop", admin=email)
    organization = told["organization"]["slug"]
    client = Client(service.url.rstrip("/"), organization, "shop", service.token(organization, "shop", scopes=SCOPES))
    source = {"type": "http", "id": "ours", "name": "Our server", "url": symbols, "layout": {"type": "native"}}
    client.put_source(source)
    crashes.send(client)
    hostile(client)
    client.upload(crashes.DUMP.parent / "symbols/39/88be7f44385cce25e399210deb9a5f57be012e")
    client.call("POST", f"/api/0/projects/{organization}/shop/releases/", {"version": "shop@2.1.0"})
    be_staff(service, email)
    lacking = crashes.lacking(client)
    listed = client.call("GET", f"{client.project_path}/crashes/")
    (named, other) = [crash for crash in listed if crash.get("version") == "2.0.0" and crash["platform"] == "native"]
    (sent,) = [crash for crash in listed if crash.get("version") == "hostile"]
    paths = stored(service, organization) | {
        "org": f"/organizations/{organization}",
        "project": f"/organizations/{organization}/shop",
        "lacking": str(lacking),
        "named": str(named["id"]),
        "other": str(other["id"]),
        "hostile": str(sent["id"]),
    }
    return World(client.url, client, told["admin"]["email"], told["admin"]["password"], paths)


_STORED = {
    "source": "SELECT max(s.id::text) FROM sources_symbolsource s JOIN projects_project p ON p.id = s.project_id",
    "file": "SELECT max(f.id) FROM debugfiles_debugfile f JOIN projects_project p ON p.id = f.project_id",
    "upload": "SELECT max(u.id) FROM debugfiles_uploadrecord u JOIN projects_project p ON p.id = u.project_id",
    "group": "SELECT max(g.id) FROM crashes_group g JOIN projects_project p ON p.id = g.project_id",
    "release": "SELECT max(r.id) FROM debugfiles_release r JOIN projects_organization o ON o.id = r.organization_id",
}


def stored(service: Service, organization: str) -> dict[str, str]:
    """Numbers of rows that addresses of pages have and the API does not tell."""
    by_project = " JOIN projects_organization o ON o.id = p.organization_id"
    with psycopg.connect(service.env["DATABASE_URL"]) as connection:
        return {
            name: str(
                connection.execute(
                    f"{query}{by_project if ' p ON' in query else ''} WHERE o.slug = %s", [organization]
                ).fetchone()[0]
            )
            for name, query in _STORED.items()
        }


def be_staff(service: Service, email: str) -> None:
    """Let someone see operations."""
    with psycopg.connect(service.env["DATABASE_URL"]) as connection:
        connection.execute("UPDATE auth_user SET is_staff = true WHERE username = %s", [email])


def hostile(client: Client) -> None:
    """A crash that is markup wherever a client may write something."""
    frame = {"funcName": HOSTILE, "library": HOSTILE, "line": 3, "sourceCode": HOSTILE}
    report: dict[str, Any] = {
        "uuid": str(uuid4()),
        "lang": "python",
        "classifiers": [HOSTILE],
        "mainThread": HOSTILE,
        "attributes": {"error.message": HOSTILE, HOSTILE: HOSTILE, "application": HOSTILE, "uname.sysname": HOSTILE},
        "annotations": {HOSTILE: {HOSTILE: [HOSTILE]}},
        "sourceCode": {HOSTILE: {"path": HOSTILE, "startLine": 1, "text": f"\n\n{HOSTILE}\n{HOSTILE}"}},
        "threads": {HOSTILE: {"name": HOSTILE, "fault": True, "stack": [frame, frame]}},
    }
    parts = [
        ("upload_file", "report.json", json.dumps(report)),
        ("attachment_<img src=x onerror=alert(1)>.txt", "<img src=x onerror=alert('ran')>.txt", "text"),
    ]
    boundary = uuid4().hex
    body = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n{text}\r\n'
        for name, file, text in parts
    )
    path = f"/{client.organization}/{client.token}/json?version=hostile"
    client._send("POST", path, f"{body}--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}")
