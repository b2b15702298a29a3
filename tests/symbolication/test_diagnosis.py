"""Why a module has no names: every verdict, from a stored source and a real server to the sentence that people read."""

from __future__ import annotations

import itertools
import re
import socket
import string
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.lookup.absences import Absence
from engine.lookup.diagnosis import ASPECTS, Aspect, Verdict
from engine.modules import ModuleType
from engine.outgoing import connections
from engine.sourcetypes import blocked
from projects.models import Organization
from symbolication import runtime
from symbolication.remedies import ADVICE, NOTES, wanted_file
from tests.cast import Api, make_token
from tests.engine.webserver import WebServer, hang, reply, web_server
from tests.sources.helpers import APPLE, S3
from tests.symbolication import symbolserver
from tests.symbolication.requests import LEDGER_ADDRESS, http_source, ledger, stored_source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("environment", "acme_project")]

PROJECT = "/api/0/projects/acme/native-app/"
LEDGER = f"/{symbolserver.LEDGER}"
PASSWORD = "canary-71c3"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def api(acme: Organization) -> Api:
    return Api(make_token(acme))


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as made:
        yield made


@pytest.fixture
def library() -> bytes:
    return symbolserver.demo_files()[symbolserver.LEDGER]


def store(api: Api, *sources: dict[str, Any]) -> None:
    for source in sources:
        response = api.post(f"{PROJECT}symbol-sources/", source)
        assert response.status_code == 201, response.content


def symbolicate(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    response = api.post(f"{PROJECT}symbolicate/", body)
    assert response.status_code == 200, response.content
    return response.json()  # type: ignore[no-any-return]


def module_of(api: Api, *, candidates: bool = False, **fields: Any) -> dict[str, Any]:
    """The module of libledger.so in an answer, asked for with changed fields; None takes a field away."""
    body = ledger(options={"dif_candidates": candidates})
    module = body["modules"][0] | fields
    body["modules"] = [{name: value for name, value in module.items() if value is not None}]
    return symbolicate(api, body)["modules"][0]  # type: ignore[no-any-return]


def diagnosis_of(api: Api, verdict: str, *words: str, **fields: Any) -> dict[str, Any]:
    """The diagnosis of libledger.so, which has this verdict and whose cause and remedy hold these words."""
    found = module_of(api, **fields)["diagnosis"]
    assert found["verdict"] == verdict, found
    for word in words:
        assert word in f"{found['cause']} {found['remedy']}", found
    assert "{" not in found["cause"] + found["remedy"]
    assert PASSWORD not in str(found)
    return found  # type: ignore[no-any-return]


def seconds_until(text: str) -> float:
    assert TIME.fullmatch(text), text
    return datetime.fromisoformat(text).timestamp() - time.time()


class TestWords:
    def test_every_verdict_with_every_aspect_has_a_cause_and_a_remedy(self) -> None:
        assert set(ADVICE) == {(verdict, aspect) for verdict in Verdict for aspect in ASPECTS[verdict]}
        for advice in ADVICE.values():
            assert advice.cause.endswith(".")
            assert advice.remedy.endswith(".")

    def test_the_words_to_fill_in_are_known(self) -> None:
        known = {"source", "host", "path", "details", "module", "file", "until"}
        texts = itertools.chain.from_iterable((advice.cause, advice.remedy) for advice in ADVICE.values())
        assert {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name} <= known

    def test_every_aspect_belongs_to_some_verdict(self) -> None:
        assert set(itertools.chain.from_iterable(ASPECTS.values())) == set(Aspect)

    def test_every_absence_has_a_note_and_every_module_type_a_file(self) -> None:
        assert set(NOTES) == set(Absence)
        assert all(wanted_file(module_type) for module_type in ModuleType)


class TestFound:
    def test_a_module_that_was_found_is_diagnosed_when_all_candidates_are_asked_for(
        self, api: Api, server: WebServer, library: bytes
    ) -> None:
        server.routes[LEDGER] = reply(body=library)
        store(api, stored_source(server.url))

        found = diagnosis_of(api, "found", "libledger.so", "“builds”", candidates=True)

        [source] = found["sources"]
        assert (source["id"], source["name"]) == ("builds", "builds")
        [used] = [row for row in source["tries"] if row["status"] == "found"]
        assert used["path"] == symbolserver.LEDGER
        assert -30 < seconds_until(used["fetched_at"]) <= 0
        assert (used["expires_at"], used["next_try_at"]) == (None, None)
        missed = [row for row in source["tries"] if row["status"] == "not_found"]
        assert missed
        for row in missed:
            assert 86_300 < seconds_until(row["expires_at"]) <= 86_400
            assert row["next_try_at"] == row["expires_at"]

    def test_otherwise_it_is_not(self, api: Api, server: WebServer, library: bytes) -> None:
        server.routes[LEDGER] = reply(body=library)
        store(api, stored_source(server.url))

        module = module_of(api)

        assert module["debug_status"] == "found"
        assert "diagnosis" not in module

    def test_modules_that_no_frame_touches_have_none(self, api: Api) -> None:
        body = ledger()
        body["stacktraces"] = []
        assert "diagnosis" not in symbolicate(api, body)["modules"][0]

    def test_a_file_of_another_build_is_used_with_a_warning(self, api: Api, server: WebServer, library: bytes) -> None:
        server.routes["/00/11"] = reply(body=library)
        store(api, stored_source(server.url))

        module = module_of(api, code_id="0011", debug_id="00000000-0000-0000-0000-000000000001")

        assert module["debug_status"] == "found"
        assert module["diagnosis"]["verdict"] == "wrong_id"
        assert "another build" in module["diagnosis"]["cause"]
        assert "wrong_id" in {row["status"] for row in module["diagnosis"]["sources"][0]["tries"]}


class TestNotFound:
    def test_nobody_has_it(self, api: Api, server: WebServer) -> None:
        store(api, stored_source(server.url))

        found = diagnosis_of(api, "not_found", "libledger.so", "layout", "purging")

        assert {row["status"] for row in found["sources"][0]["tries"]} == {"not_found"}

    def test_a_source_that_was_left_out_is_named(self, api: Api, server: WebServer) -> None:
        store(api, stored_source(server.url), APPLE)

        found = diagnosis_of(api, "not_found", "Repair the sources that were left out")

        apple = found["sources"][-1]
        assert (apple["id"], apple["tries"]) == ("app", [])
        assert apple["note"].startswith("Left out: files are imported from it")

    def test_a_stripped_file_is_not_enough(self, api: Api, server: WebServer, library: bytes) -> None:
        server.routes[LEDGER] = reply(body=bare_elf(library))
        store(api, stored_source(server.url))

        diagnosis_of(api, "no_debug_info", "stripped", ".debug")


def bare_elf(library: bytes) -> bytes:
    """The headers and segments of a 64-bit ELF file, without any section."""
    cut = bytearray(library)
    cut[40:48] = bytes(8)
    cut[58:64] = bytes(6)
    # Without PT_DYNAMIC nobody finds the dynamic symbols.
    start, size, count = (
        int.from_bytes(cut[32:40], "little"),
        int.from_bytes(cut[54:56], "little"),
        int.from_bytes(cut[56:58], "little"),
    )
    for number in range(count):
        at = start + number * size
        if int.from_bytes(cut[at : at + 4], "little") == 2:
            cut[at : at + 4] = bytes(4)
    return bytes(cut)


class TestRefused:
    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (reply("401 Unauthorized"), ["401 Unauthorized", "Enter the credentials"]),
            (reply("403 Forbidden"), ["403 Forbidden", "right to read"]),
            (reply("302 Found"), ["login page"]),
        ],
    )
    def test_a_web_server_refuses(self, api: Api, server: WebServer, answer: Any, words: list[str]) -> None:
        server.default = answer
        store(api, stored_source(server.url, username="builder", password=PASSWORD))

        diagnosis_of(api, "refused", "“builds” (127.0.0.1)" if words[0] != "login page" else "“builds”", *words)

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("AccessDenied", ["may not list", "s3:ListBucket"]),
            ("NoSuchBucket", ["bucket symbols", "does not exist"]),
            ("InvalidAccessKeyId", ["Enter the credentials"]),
            ("PermanentRedirect", ["region"]),
        ],
    )
    def test_a_bucket_refuses(self, api: Api, server: WebServer, code: str, words: list[str]) -> None:
        server.default = reply("403 Forbidden", f"<Error><Code>{code}</Code></Error>".encode())
        store(api, S3 | {"secret_key": PASSWORD, "region": ["local", server.url], "layout": {"type": "native"}})

        diagnosis_of(api, "refused", "“Bucket”", *words)

    def test_a_bucket_that_may_be_listed_and_not_read(self, api: Api, server: WebServer) -> None:
        listing = b"<ListBucketResult><Name>symbols</Name></ListBucketResult>"
        server.default = reply("403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>")
        server.routes["/symbols"] = reply(body=listing)
        store(api, S3 | {"secret_key": PASSWORD, "region": ["local", server.url], "layout": {"type": "native"}})

        diagnosis_of(api, "refused", "s3:GetObject")


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


def test_the_worst_obstacle_decides_and_every_source_is_told(api: Api, server: WebServer) -> None:
    with web_server() as empty:
        server.default = reply("403 Forbidden")
        store(api, stored_source(empty.url, "first"), stored_source(server.url, "second"))

        found = diagnosis_of(api, "refused", "“second”")

        assert [(row["id"], row["tries"][0]["status"]) for row in found["sources"]] == [
            ("first", "not_found"),
            ("second", "refused"),
        ]


def test_a_source_is_called_by_its_name(api: Api, server: WebServer) -> None:
    server.default = reply("403 Forbidden")
    store(api, stored_source(server.url) | {"name": "Nightly builds {host}"})

    found = module_of(api)["diagnosis"]

    assert "“Nightly builds {host}”" in found["cause"]


def test_a_new_name_is_used_at_once(api: Api, server: WebServer) -> None:
    server.default = reply("403 Forbidden")
    store(api, stored_source(server.url))
    assert "“builds”" in module_of(api)["diagnosis"]["cause"]

    api.put(f"{PROJECT}symbol-sources/?id=builds", stored_source(server.url) | {"name": "Renamed"})

    assert "“Renamed”" in module_of(api)["diagnosis"]["cause"]


def test_the_root_endpoint_says_what_symbolicator_says_and_no_more(api: Api, server: WebServer) -> None:
    server.default = reply("403 Forbidden")
    answer = api.post("/symbolicate", ledger(sources=[http_source(server.url)])).json()

    assert "diagnosis" not in answer["modules"][0]
    assert set(answer["modules"][0]["candidates"][0]) == {"source", "location", "download"}


def test_a_pending_answer_has_the_diagnosis_too(api: Api, server: WebServer) -> None:
    store(api, stored_source(server.url))
    body = ledger()
    waiting = api.post(f"{PROJECT}symbolicate/?timeout=30", body).json()
    assert waiting["modules"][0]["diagnosis"]["verdict"] == "not_found"
    assert body["stacktraces"][0]["frames"] == [{"instruction_addr": LEDGER_ADDRESS}]


def test_times_are_those_of_the_cache_and_stay(api: Api, server: WebServer) -> None:
    store(api, stored_source(server.url))
    first = module_of(api)["diagnosis"]
    asked = len(server.asked)
    runtime._forget()

    assert module_of(api)["diagnosis"] == first
    assert len(server.asked) == asked
    fetched = datetime.fromisoformat(first["sources"][0]["tries"][0]["fetched_at"])
    assert abs((datetime.now(UTC) - fetched).total_seconds()) < 60
