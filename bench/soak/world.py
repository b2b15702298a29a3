"""The service under load, and who uses it: symbolication, dumps, crash clients, uploads, people who read pages."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from bench import workload
from bench.soak import modules
from bench.soak.pacing import Kind
from symbolsvc.demo import crashes as demo_crash
from tests.core.multipart import encoded
from tests.faults.crash_load import report
from tests.service import Service, environment
from tests.symbolication import symbolserver
from tests.symbolication.http import Tenant, new_tenant
from tests.symbolication.requests import stored_source

# Small, so that it is full within the first minute and files go all the time.
CACHE_BYTES = 96 << 20
FORM = "multipart/form-data; boundary=b0undary"
TIMEOUT = 60.0
_SETTINGS = {
    "ALLOWED_SOURCE_NETWORKS": "127.0.0.0/8",
    "LOG_LEVEL": "WARNING",
    "CRASHES_PER_MINUTE": "unlimited",
    "CRASH_WORKERS": "2",
    "CACHE_MAX_BYTES": str(CACHE_BYTES),
}
_PAGES = (
    "{project}/crashes/",
    "{project}/crashes/all/?query=fail_1",
    "{project}/",
    "{project}/files/",
    "{project}/sources/",
    "{project}/crashes/missing/",
    "crash",
)


_CLOSED = (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected)


class Refused(Exception):
    """An answer that is not what was asked for."""


@dataclass
class Keeper:
    """Connections kept alive, one a thread, to one service."""

    url: str
    _local: threading.local = field(default_factory=threading.local)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
        """The body of a 200. Raises Refused for any other status, OSError and HTTPException without an answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = hasattr(self._local, "connection")
        try:
            status, content = self._exchange(method, path, body, named)
        except _CLOSED:
            # A server may close a connection that nobody uses the moment a request is sent over it.
            if not kept:
                raise
            status, content = self._exchange(method, path, body, named)
        if status not in (200, 201):
            raise Refused(f"{method} {path}: {status} {content[:200]!r}")
        return content

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT)
            self._local.connection = connection
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except BaseException:
            connection.close()
            del self._local.connection
            raise


@dataclass
class World:
    service: Service
    tenant: Tenant
    client_token: str
    cookie: str
    keeper: Keeper
    crash_ids: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def kinds(self) -> list[Kind]:
        """What arrives in a second; together it takes the larger part of two cores."""
        return [
            Kind("symbolicate", 6, self.symbolicate),
            Kind("new modules", 2, self.new_modules),
            Kind("minidump", 1, self.minidump),
            Kind("submit dump", 3, self.submit_dump),
            Kind("submit report", 6, self.submit_report),
            Kind("upload", 1, self.upload),
            Kind("page", 3, self.page),
        ]

    def symbolicate(self, _: int) -> None:
        answer = self._post(self._path(self.tenant.symbolicate_url), _request(), "application/json")
        named = answer.count(b'"status":"symbolicated"')
        if named < 700:
            raise Refused(f"only {named} frames have a name")

    def new_modules(self, number: int) -> None:
        asked = modules.request(range(number * 3 + 1, number * 3 + 4))
        answer = json.loads(self._post(self._path(self.tenant.symbolicate_url), _json(asked), "application/json"))
        found = [frame["status"] for frame in answer["stacktraces"][0]["frames"]]
        if found != ["symbolicated"] * 3:
            raise Refused(f"frames of fresh modules are {found}")

    def minidump(self, _: int) -> None:
        answer = json.loads(self._post(f"{self._path(self.tenant.project_url)}/minidump/", _dump_form(), FORM))
        if answer["status"] != "completed":
            raise Refused(f"the dump is {answer['status']}")

    def submit_dump(self, number: int) -> None:
        self._submit("minidump", _DUMP, version=f"1.{number % 7}")

    def submit_report(self, number: int) -> None:
        self._submit("json", json.dumps(report(number, str(uuid4()))).encode())

    def upload(self, _: int) -> None:
        # Beyond all that the symbol server is asked about, so that every one is new.
        text = modules.symbols(10_000_000 + next(self._numbers))
        self.keeper.ask("POST", f"/{self.tenant.organization}/{self.client_token}/symbols", text)

    def page(self, number: int) -> None:
        page = _PAGES[number % len(_PAGES)]
        project = f"/organizations/{self.tenant.organization}/{self.tenant.project}"
        latest = f"{{project}}/crashes/{self.crash_ids[-1]}/" if self.crash_ids else _PAGES[0]
        path = (latest if page == "crash" else page).format(project=project)
        if b"</html>" not in self.keeper.ask("GET", path, Cookie=self.cookie):
            raise Refused(f"{path} is no whole page")

    def _submit(self, format_: str, body: bytes, **attributes: str) -> None:
        path = f"/{self.tenant.organization}/{self.client_token}/{format_}?{urlencode(attributes)}"
        self.crash_ids.append(json.loads(self.keeper.ask("POST", path, body))["_rxid"])

    def _post(self, path: str, body: bytes, content_type: str) -> bytes:
        return self.keeper.ask(
            "POST", path, body, Content_Type=content_type, Authorization=f"Bearer {self.tenant.token}"
        )

    def _path(self, url: str) -> str:
        return url.removeprefix(self.tenant.url)


@contextmanager
def running(directory: Path) -> Iterator[World]:
    """A fresh service with a project whose sources serve all that will be asked for, and somebody signed in."""
    service = Service(directory / "data", environment(directory / "data", **_SETTINGS), ("--workers", "2"))
    with ExitStack() as stack:
        known = symbolserver.demo_files() | workload.symbol_files()
        files = stack.enter_context(symbolserver.running(known))
        endless = stack.enter_context(modules.running())
        service.start()
        stack.callback(service.stop)
        tenant = new_tenant(service)
        for source in (stored_source(files.url), stored_source(endless, "endless")):
            tenant.post(tenant.sources_url, source)
        token = service.token(tenant.organization, tenant.project, ["error:post", "symbol:post"])
        yield World(service, tenant, token, _signed_in(service, tenant), Keeper(tenant.url))


_DUMP = demo_crash.DUMP.read_bytes()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _request() -> bytes:
    return _WORKLOAD


_WORKLOAD = _json(workload.request())


def _dump_form() -> bytes:
    head = 'Content-Disposition: form-data; name="upload_file_minidump"; filename="a.dmp"'
    return encoded([(head, _DUMP)])


def _signed_in(service: Service, tenant: Tenant) -> str:
    """The cookies of a new owner of the tenant's organization."""
    import requests

    email = f"reader-{uuid4().hex[:8]}@example.com"
    made = service.bootstrap(tenant.organization, tenant.project, admin=email)
    with requests.Session() as session:
        page = session.get(f"{tenant.url}/login/", timeout=TIMEOUT)
        field_ = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert field_ is not None
        values = {"csrfmiddlewaretoken": field_[1], "username": email, "password": made["admin"]["password"]}
        done = session.post(f"{tenant.url}/login/", values, timeout=TIMEOUT)
        assert "/login/" not in done.url, done.text[:500]
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)


__all__ = ["CACHE_BYTES", "Keeper", "Refused", "World", "running"]
