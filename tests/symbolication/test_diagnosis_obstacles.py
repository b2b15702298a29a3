"""Why a module has no names: servers that cannot be reached or answer badly, filters, layouts, a full disk."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from engine.lookup.absences import Absence
from engine.outgoing import connections
from engine.sourcetypes import blocked
from symbolication import runtime
from symbolication.remedies import NOTES
from tests.cast import Api
from tests.engine.webserver import WebServer, hang, reply
from tests.sources.helpers import APPLE, S3
from tests.symbolication import symbolserver
from tests.symbolication.diagnosed import (
    LEDGER,
    diagnosis_of,
    module_of,
    seconds_until,
    store,
)
from tests.symbolication.requests import stored_source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("environment", "acme_project")]


@contextmanager
def plain_talker() -> Iterator[int]:
    """The port of a server that speaks no TLS, and speaks first."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"220 hello\r\n")

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


class TestUnreachable:
    def test_nobody_listens(self, api: Api) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        store(api, stored_source(f"http://127.0.0.1:{port}"))

        found = diagnosis_of(api, "unreachable", "no server listens", "127.0.0.1")

        row = found["sources"][0]["tries"][0]
        assert (row["status"], row["details"]) == ("unreachable", "download failed: connection refused")

    def test_the_name_does_not_exist(self, api: Api) -> None:
        store(api, stored_source("http://symbols.invalid"))
        diagnosis_of(api, "unreachable", "host name symbols.invalid", "cannot be resolved")

    def test_the_address_is_reserved(self, api: Api, server: WebServer, environment: Any) -> None:
        environment(ALLOWED_SOURCE_NETWORKS=())
        store(api, stored_source(server.url))

        found = diagnosis_of(api, "unreachable", "reserved address", "ALLOWED_SOURCE_NETWORKS")

        row = found["sources"][0]["tries"][0]
        assert 0 < seconds_until(row["next_try_at"]) <= 60

    def test_no_tls_is_spoken(self, api: Api) -> None:
        with plain_talker() as port:
            store(api, stored_source(f"https://127.0.0.1:{port}"))
            diagnosis_of(api, "unreachable", "secure connection", "certificate")

    def test_the_server_fails(self, api: Api, server: WebServer) -> None:
        server.default = reply("500 Internal Server Error")
        store(api, stored_source(server.url))
        diagnosis_of(api, "unreachable", "500 Internal Server Error", "log of that server")

    def test_the_connection_breaks_off(self, api: Api, server: WebServer) -> None:
        server.default = lambda asked, connection: None
        store(api, stored_source(server.url))
        diagnosis_of(api, "unreachable", "could not be reached", "broke off")

    def test_a_host_that_failed_too_often_is_left_alone_until_a_time(
        self, api: Api, server: WebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(blocked, "FAILURES", 3)
        server.default = reply("500 Internal Server Error")
        store(api, stored_source(server.url))
        module_of(api)

        found = diagnosis_of(api, "unreachable", "left alone until", "DENY_LIST_NEVER_BLOCK_HOSTS", code_id="aabbcc")

        row = next(row for row in found["sources"][0]["tries"] if "left alone" in row.get("details", ""))
        assert row["status"] == "unreachable"
        assert 3500 < seconds_until(row["next_try_at"]) <= 3600
        assert row["next_try_at"] in found["cause"]
        assert row["details"].startswith(f"left alone until {row['next_try_at']}")
        forget_blocked()

    def test_an_exempt_host_is_never_left_alone(
        self, api: Api, server: WebServer, monkeypatch: pytest.MonkeyPatch, environment: Any
    ) -> None:
        monkeypatch.setattr(blocked, "FAILURES", 3)
        environment(DENY_LIST_NEVER_BLOCK_HOSTS=("127.0.0.1",))
        server.default = reply("500 Internal Server Error")
        store(api, stored_source(server.url))
        module_of(api)

        diagnosis_of(api, "unreachable", "500 Internal Server Error", code_id="aabbcc")


@pytest.fixture(autouse=True)
def forget_blocked_hosts() -> Iterator[None]:
    yield
    forget_blocked()


def forget_blocked() -> None:
    blocked.blocked_hosts._hosts.clear()


class TestOthers:
    def test_nobody_answers_in_time(self, api: Api, server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connections, "HEADERS_SECONDS", 0.2)
        server.default = hang
        store(api, stored_source(server.url))
        diagnosis_of(api, "timed_out", "did not answer in time")

    @pytest.mark.parametrize("body", [b"<html>Not found</html>", b"\x7fELF garbage", b""])
    def test_something_else_than_a_debug_file_comes(self, api: Api, server: WebServer, body: bytes) -> None:
        server.default = reply(body=body)
        store(api, stored_source(server.url))

        found = diagnosis_of(api, "malformed", "no debug file", "404")

        row = found["sources"][0]["tries"][0]
        assert row["status"] == "malformed"
        assert 86_300 < seconds_until(row["expires_at"]) <= 86_400

    def test_the_file_is_too_large(self, api: Api, server: WebServer, library: bytes, environment: Any) -> None:
        environment(MAX_DOWNLOAD_BYTES=100)
        server.routes[LEDGER] = reply(body=library)
        store(api, stored_source(server.url))
        diagnosis_of(api, "too_large", "MAX_DOWNLOAD_BYTES", symbolserver.LEDGER)

    def test_the_source_cannot_work_as_configured(self, api: Api, server: WebServer) -> None:
        store(api, S3 | {"bucket": "not a name", "region": ["local", server.url], "layout": {"type": "native"}})
        diagnosis_of(api, "not_configured", "“Bucket”", "Complete the source's configuration")

    @pytest.mark.parametrize(
        ("filters", "note"),
        [
            ({"path_patterns": ["/elsewhere/**"]}, Absence.NO_PATTERN),
            ({"requires_checksum": True}, Absence.NO_CHECKSUM),
            ({"filetypes": ["proguard"]}, Absence.NO_FILE_TYPE),
        ],
    )
    def test_a_filter_leaves_the_module_out(
        self, api: Api, server: WebServer, filters: dict[str, Any], note: Absence
    ) -> None:
        store(api, stored_source(server.url, filters=filters))

        found = diagnosis_of(api, "filtered_out", "Widen")

        assert [(row["tries"], row["note"]) for row in found["sources"]] == [([], NOTES[note])]
        assert not server.asked

    def test_the_layout_has_no_place_for_the_module(self, api: Api, server: WebServer) -> None:
        store(api, stored_source(server.url, layout={"type": "ssqp"}))
        found = diagnosis_of(api, "no_location", type="wasm")
        assert found["sources"][0]["note"] == NOTES[Absence.NO_PLACE]

    def test_the_module_has_no_ids(self, api: Api, server: WebServer) -> None:
        store(api, stored_source(server.url))
        diagnosis_of(api, "no_ids", "neither a debug id nor a code id", "--build-id", code_id=None, debug_id=None)

    def test_there_is_no_source(self, api: Api) -> None:
        assert diagnosis_of(api, "no_sources", "no symbol source", "Add a symbol source")["sources"] == []

    def test_no_source_can_be_asked(self, api: Api) -> None:
        store(api, APPLE)
        diagnosis_of(api, "source_disabled", "each says why")

    def test_the_disk_is_full_and_then_it_is_not(
        self, api: Api, server: WebServer, library: bytes, settings: Any, tmp_path: Path, environment: Any
    ) -> None:
        server.routes[LEDGER] = reply(body=library)
        store(api, stored_source(server.url))
        disk = tmp_path / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], check=False).returncode:
            pytest.skip("no disk can be mounted here")
        try:
            settings.CACHE_DIR = disk / "cache"
            environment(CACHE_MAX_BYTES=10**9)
            filler = disk / "filler"
            filler.write_bytes(bytes(200 * 1024))

            module = module_of(api, candidates=True)
            assert module["diagnosis"]["verdict"] == "internal_error"
            assert "The cache directory of this service is full" in module["diagnosis"]["cause"]
            assert "the cache directory is full" in {row["download"].get("details") for row in module["candidates"]}

            filler.unlink()
            runtime.engine().modules.__init__()  # type: ignore[misc]  # a minute later
            assert module_of(api)["debug_status"] == "found"
        finally:
            runtime._forget()
            subprocess.run(["umount", "--lazy", disk], check=True)
