"""A minidump on a running service: chunked and packed on its way in, fetched by whoever asks for the answer."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.service import Service
from tests.symbolication import symbolserver
from tests.symbolication.dumps import dump, expected, served, told
from tests.symbolication.forms import TYPE, form
from tests.symbolication.http import Tenant, new_tenant
from tests.symbolication.requests import stored_source
from tests.symbolication.symbolserver import SymbolServer


@pytest.fixture
def acme(service: Service) -> Tenant:
    return new_tenant(service)


@pytest.fixture
def symbols(acme: Tenant) -> Iterator[SymbolServer]:
    """A source of the project that has its debug files."""
    with symbolserver.running(served()) as server:
        assert acme.post(acme.sources_url, stored_source(server.url)).status == 201
        yield server


def send(tenant: Tenant, path: str, body: bytes, *, cut: bool = False, **headers: str) -> tuple[int, Any]:
    """POST in chunks, as crash clients do; `cut` hangs up in the middle."""
    parts = urlsplit(tenant.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    sent = {"Authorization": f"Bearer {tenant.token}", "Content-Type": TYPE, **headers}
    pieces = [body[at : at + 7000] for at in range(0, len(body), 7000)]
    try:
        if cut:
            connection.putrequest("POST", path)
            for name, value in {**sent, "Content-Length": str(len(body))}.items():
                connection.putheader(name, value)
            connection.endheaders(body[: len(body) // 2])
            return 0, None
        connection.request("POST", path, iter(pieces), sent, encode_chunked=True)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def path_of(tenant: Tenant, query: str = "") -> str:
    return f"{urlsplit(tenant.project_url).path}/minidump/{query}"


def test_a_chunked_and_packed_dump_is_walked_with_the_projects_sources(acme: Tenant, symbols: SymbolServer) -> None:
    body = gzip.compress(form(upload_file_minidump=dump()))

    status, answer = send(acme, path_of(acme), body, **{"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"})

    assert status == 200
    assert set(expected()) <= set(told(answer))


def test_a_pending_dump_is_answered_by_every_process(acme: Tenant, symbols: SymbolServer, service: Service) -> None:
    symbols.hang()
    status, first = send(acme, path_of(acme, "?timeout=1"), form(upload_file_minidump=dump()))
    assert (status, first["status"]) == (200, "pending")
    address = f"{acme.url}/requests/{first['request_id']}"

    # A connection each: the kernel spreads them over the processes.
    assert [acme.get(f"{address}?timeout=0").json() for _ in range(12)] == [first] * 12
    threading.Timer(0.3, symbols.release).start()

    assert set(expected()) <= set(told(acme.get(address).json()))
    assert len({acme.get(f"{address}?timeout=0").body for _ in range(12)}) == 1


def test_nothing_is_left_of_files_however_a_request_ends(acme: Tenant, service: Service) -> None:
    spool = Path(service.data_dir) / "cache" / "spool"
    send(acme, path_of(acme), form(upload_file_minidump=b"x" * 3_000_000), cut=True)
    status, refused = send(acme, path_of(acme), form(upload_file_minidump=b"x" * 100_000, options="{"))
    assert (status, refused["detail"].partition(":")[0]) == (400, "options")

    assert os.listdir(spool) == []


def test_a_form_that_never_ends_is_cut_off(acme: Tenant) -> None:
    """The declared length is larger than what comes."""
    body = form(upload_file_minidump=b"x" * 1000)

    status, answer = send(acme, path_of(acme), body, **{"Content-Length": str(len(body) + 100)})

    assert status == 408
    assert answer == {"detail": "The body came too slowly."}
