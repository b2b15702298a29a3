"""What clients send of a crash, and where: the bodies of `bench.submission`."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass, replace
from uuid import uuid4

from bench.load import Target

DUMP_BYTES = 300 << 10
_BOUNDARY = "----bench-boundary"
_MULTIPART = f"multipart/form-data; boundary={_BOUNDARY}"


@dataclass(frozen=True)
class Doors:
    """A running service: where to send, and its database."""

    url: str
    token: str
    project: str
    key: str
    env: dict[str, str]
    web: int
    database: int


@dataclass(frozen=True)
class Kind:
    """One kind of submission. `kept`: what the floor writes of it."""

    title: str
    body: bytes
    kept: bytes
    content_type: str = _MULTIPART
    headers: tuple[tuple[str, str], ...] = ()
    sentry: bool = False

    def target(self, service: Doors) -> Target:
        """Where the service takes it."""
        if self.sentry:
            auth = ("X-Sentry-Auth", f"Sentry sentry_version=7, sentry_key={service.key}")
            return self._at(f"{service.url}/api/{service.project}/minidump/", auth)
        format_ = "json" if self.content_type == "application/json" else "minidump"
        return self._at(f"{service.url}/bench/{service.token}/{format_}")

    def bare(self, url: str) -> Target:
        """Where its floor does."""
        return self._at(url)

    def _at(self, url: str, *more: tuple[str, str]) -> Target:
        return Target(url, self.body, "", self.content_type, (*self.headers, *more))


def dump() -> bytes:
    """A dump as large as small programs leave; its content is nothing that a file system could shrink."""
    return b"MDMP\x93\xa7\x00\x00" + random.Random(1).randbytes(DUMP_BYTES - 8)


def form(content: bytes) -> bytes:
    """The body that Crashpad and Breakpad send."""
    fields = {"prod": "Bench", "ver": "1.2.3", "guid": str(uuid4()), "ptype": "browser", "platform": "linux"}
    head = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    file = 'Content-Disposition: form-data; name="upload_file_minidump"; filename="a.dmp"\r\n'
    kind = "Content-Type: application/octet-stream\r\n\r\n"
    return f"{head}--{_BOUNDARY}\r\n{file}{kind}".encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()


def report() -> bytes:
    """A JSON report as Backtrace's libraries write it, of 16 threads: about 40 KB."""
    frames = [
        {"funcName": f"function{i}", "sourceCode": "0", "library": "app.so", "address": 4096 + i} for i in range(30)
    ]
    threads = {str(i): {"name": f"thread {i}", "fault": i == 0, "stack": frames} for i in range(16)}
    attributes = {f"attribute.{i}": f"value {i}" for i in range(30)} | {"hostname": "a", "application": "Bench"}
    head = {"lang": "csharp", "agent": "bench", "classifiers": ["Error"], "timestamp": 1_700_000_000}
    return json.dumps({**head, "attributes": attributes, "threads": threads, "mainThread": "0"}).encode()


def kinds() -> dict[str, Kind]:
    """All that can be measured."""
    content = dump()
    plain = Kind("forms with a dump of 300 KB", form(content), content)
    json_ = report()
    return {
        "form": plain,
        "gzip": replace(
            plain, title="the same, gzip", body=gzip.compress(plain.body, 1), headers=(("Content-Encoding", "gzip"),)
        ),
        "json": Kind(f"JSON reports of {len(json_) >> 10} KB", json_, json_, "application/json"),
        "sentry": replace(plain, title="the form, to a DSN", sentry=True),
    }
