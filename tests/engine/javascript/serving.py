"""An artifact-lookup server on loopback, what it has, and requests about it."""

from __future__ import annotations

import json
import struct
import zipfile
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from engine.javascript.sentry_artifacts import open_artifacts
from engine.javascript.wire import decode_js_request
from engine.outgoing import Deadline
from tests.engine.formats.builders import zipped
from tests.engine.webserver import LOOPBACK, WebServer, reply

KEY = b"digest key"
LOOKUP = "/api/lookup/"
# A script of one line, a map of two tokens with names, and what both were made from.
SCRIPT = b"function a(){throw b()}\n//# sourceMappingURL=app.min.js.map"
SOURCE = "function start() {\n  throw broken();\n}\n"
MAP = {
    "version": 3,
    "file": "app.min.js",
    "sources": ["src/app.js"],
    "sourcesContent": [SOURCE],
    "names": ["start", "broken"],
    # Columns 0, 9, 13, 19 of the first line.
    "mappings": "AAAA,SAASA,IACP,MAAMC",
}


def map_bytes(**fields) -> bytes:
    return json.dumps({name: value for name, value in (MAP | fields).items() if value is not ...}).encode()


def bundle(files: dict[str, tuple[dict, bytes]], *, versioned=True, method=zipfile.ZIP_DEFLATED, **manifest) -> bytes:
    """An artifact bundle of members by path: their entry in the manifest, and their content."""
    listed = {"files": {path: entry for path, (entry, _) in files.items()}, **manifest}
    members = {"manifest.json": json.dumps(listed).encode(), **{path: content for path, (_, content) in files.items()}}
    return b"SYSB" + (struct.pack("<I", 2) if versioned else b"") + zipped(members, method)


@dataclass
class Artifacts:
    """What the server lists, whatever it is asked, and the questions that it was asked."""

    server: WebServer
    token: str = "secret"
    listed: list[dict] = field(default_factory=list)

    def __post_init__(self):
        def look_up(asked, connection):
            reply(body=json.dumps(self.listed).encode())(asked, connection)

        self.server.routes[LOOKUP] = look_up

    @property
    def url(self) -> str:
        return self.server.url + LOOKUP

    @property
    def questions(self) -> list[dict[str, list[str]]]:
        asked = [target for target in self.server.paths if target.partition("?")[0] == LOOKUP]
        return [parse_qs(urlsplit(target).query) for target in asked]

    def add_file(self, abs_path: str, content: bytes | None, *, id=None, resolved_with="release", **headers):
        """List a file; None as its content makes it one that the server does not have."""
        id = id or f"release_file/{len(self.listed)}"
        if content is not None:
            self.server.routes[f"/files/{id}"] = reply(body=content)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        item = {"type": "file", "id": id, "url": f"{self.server.url}/files/{id}", "abs_path": abs_path}
        self.listed.append(item | {"headers": headers, "resolved_with": resolved_with})

    def add_bundle(self, id: str, content: bytes, *, resolved_with="release"):
        self.server.routes[f"/files/{id}"] = reply(body=content)
        item = {"type": "bundle", "id": id, "url": f"{self.server.url}/files/{id}", "resolved_with": resolved_with}
        self.listed.append(item)

    def source(self, **fields) -> dict:
        return {"id": "artifacts", "url": self.url, "token": self.token} | fields

    def provider(self, *, owner="acme", **fields):
        return open_artifacts(json.dumps(self.source(**fields)).encode(), owner=owner, trust=LOOPBACK, digest_key=KEY)


def frame(line=1, column=20, abs_path="https://app.test/static/app.min.js", **fields):
    return {"abs_path": abs_path, "lineno": line, "colno": column} | fields


def request_of(*frames, **fields):
    body = {"source": {}, "stacktraces": [{"frames": list(frames)}], "release": "1.0", "scraping": NO_SCRAPING}
    return decode_js_request(json.dumps(body | fields).encode(), stored=False)


NO_SCRAPING = {"enabled": False, "allowed_origins": []}


def ask(engine, provider, request, *, scope="p1", seconds=60.0, trust=LOOPBACK, explain=False):
    answer = engine.symbolicate(
        request,
        provider,
        scope=scope,
        deadline=Deadline.after(seconds),
        scraping=request.scraping,
        trust=trust,
        explain=explain,
    )
    return json.loads(answer)


def only_frame(answer):
    (stack,) = answer["stacktraces"]
    (found,) = stack["frames"]
    return found
