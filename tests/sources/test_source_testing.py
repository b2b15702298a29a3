"""The test of a source: its steps against real servers, what it refuses, and that it stores and tells nothing."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.contrib.auth.models import User
from moto.server import ThreadedMotoServer

from engine.sourcetypes.config import Layout, LayoutType
from projects.models import AuditEntry
from projects.scopes import SCOPES
from sources.models import SymbolSource
from sources.testing import api as testing_api
from sources.testing import trial
from sources.testing.layouts import fits, guess_layout
from sources.testing.words import remedy
from tests.cast import Api, make_project, make_token
from tests.engine.webserver import hang, reply, web_server
from tests.sources.helpers import APPLE, GCS, HIDDEN, HTTP, S3, without
from tests.symbolication import symbolserver

pytestmark = pytest.mark.django_db

PATH = "/api/0/projects/acme/native-app/symbol-sources/test/"
PASSWORD = "canary-test-55d0"
LEDGER = {"type": "elf", "code_id": symbolserver.LEDGER.replace("/", "")}
STEPS = ["resolve", "connect", "tls", "authenticate", "list", "read", "file", "layout"]


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    settings.ENVIRONMENT = {**settings.ENVIRONMENT, "ALLOWED_SOURCE_NETWORKS": ("127.0.0.0/8",)}


@pytest.fixture
def symbols():
    with symbolserver.running() as server:
        yield server


@pytest.fixture
def server():
    with web_server() as made:
        yield made


def http(url: str, **fields: Any) -> dict[str, Any]:
    return {**without(HTTP, "username", "password"), "url": url, **fields}


def tried(api: Api, body: Any, query: str = "") -> dict[str, Any]:
    response = api.post(PATH + query, body)
    assert response.status_code == 200, response.content
    report = response.json()
    assert PASSWORD not in response.content.decode()
    assert [step["step"] for step in report["steps"]] == STEPS
    assert all(step["text"].endswith(".") for step in report["steps"]), report
    return report  # type: ignore[no-any-return]


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {step["step"]: step["status"] for step in report["steps"]}


def failed(report: dict[str, Any]) -> list[str]:
    return [step["step"] for step in report["steps"] if step["status"] == "failed"]


def text_of(report: dict[str, Any], name: str) -> str:
    return next(step["text"] for step in report["steps"] if step["step"] == name)  # type: ignore[no-any-return]


class TestWebServers:
    def test_a_source_that_works_with_a_file_that_is_there(self, api, symbols):
        symbols.authorization = symbolserver.basic("reader", PASSWORD)
        body = {"source": http(symbols.url, username="reader", password=PASSWORD), "file": LEDGER}

        report = tried(api, body)

        assert (report["verdict"], report["layout"]) == ("ok", "native")
        assert report["remedy"] == "Nothing needs to be done."
        assert text_of(report, "file") == f"An elf file lies at {symbolserver.LEDGER}."
        assert statuses(report) == dict.fromkeys(STEPS, "ok") | {"tls": "skipped", "list": "skipped"}
        assert all(step["milliseconds"] >= 0 for step in report["steps"])

    def test_a_bare_source_is_a_body_too(self, api, symbols):
        report = tried(api, http(symbols.url))
        assert report["verdict"] == "ok"
        assert statuses(report)["file"] == "skipped"

    def test_a_wrong_password(self, api, symbols):
        symbols.authorization = symbolserver.basic("reader", "another")
        report = tried(api, http(symbols.url, username="reader", password=PASSWORD))
        assert (report["verdict"], failed(report)) == ("refused", ["authenticate"])
        assert "password" in report["remedy"]

    def test_a_right_password_without_the_right_to_read(self, api, server):
        server.default = reply("403 Forbidden")
        report = tried(api, {"source": http(server.url), "file": LEDGER})
        assert report["verdict"] == "refused"
        assert failed(report)[0] == "read"

    def test_a_file_that_is_not_there(self, api, symbols):
        report = tried(api, {"source": http(symbols.url), "file": {"type": "elf", "code_id": "0011223344"}})
        assert (report["verdict"], failed(report)) == ("not_found", ["file"])
        assert "00/11223344" in text_of(report, "file")
        assert "layout" in report["remedy"]

    def test_a_layout_that_is_wrong_is_told_from_the_right_one(self, api, symbols):
        body = {
            "source": http(symbols.url, layout={"type": "ssqp"}),
            "file": LEDGER | {"code_file": "/lib/libledger.so"},
        }
        report = tried(api, body)
        assert failed(report) == ["file"]
        assert report["layout"] == "native"

    def test_a_module_without_a_place_in_the_layout(self, api, symbols):
        body = {
            "source": http(symbols.url, layout={"type": "debuginfod"}),
            "file": {"type": "pe", "debug_id": "a" * 32},
        }
        assert failed(tried(api, body)) == ["file"]

    @pytest.mark.parametrize(
        ("path", "layout"),
        [("/index2.txt", "symstore_index2"), ("/pingme.txt", "symstore"), ("/000Admin/lastid.txt", "symstore")],
    )
    def test_a_file_that_stands_for_a_layout(self, api, server, path, layout):
        server.routes[path] = reply(body=b"0000000012")
        assert tried(api, http(server.url))["layout"] == layout

    def test_a_page_instead_of_a_file(self, api, server):
        server.default = reply(body=b"<!DOCTYPE html><html>Sign in</html>")
        report = tried(api, {"source": http(server.url), "file": LEDGER})
        assert report["verdict"] == "malformed"
        assert set(failed(report)) >= {"read", "file"}

    def test_a_server_that_fails(self, api, server):
        server.default = reply("500 Internal Server Error")
        report = tried(api, http(server.url))
        assert (report["verdict"], failed(report)) == ("unreachable", ["read"])
        assert "500" in report["cause"]

    def test_a_large_file_is_not_fetched_whole(self, api, server):
        server.default = reply("404 Not Found")
        server.routes[f"/{symbolserver.LEDGER}"] = reply(body=b"\x7fELF" + bytes(50 * 1024**2))
        began = time.monotonic()
        assert tried(api, {"source": http(server.url), "file": LEDGER})["verdict"] == "ok"
        assert time.monotonic() - began < 5


class TestTheWayThere:
    def test_a_name_that_does_not_exist(self, api):
        report = tried(api, http("http://symbols.invalid"))
        assert (report["verdict"], failed(report)) == ("unreachable", ["resolve"])
        assert set(statuses(report).values()) == {"failed", "skipped"}

    @pytest.mark.parametrize("host", ["10.0.0.1", "[::1]", "169.254.169.254", "localhost", "0x7f.1"])
    def test_a_reserved_address(self, api, host, settings):
        settings.ENVIRONMENT = {**settings.ENVIRONMENT, "ALLOWED_SOURCE_NETWORKS": ()}
        report = tried(api, http(f"http://{host}:1"))
        assert (report["verdict"], failed(report)) == ("unreachable", ["resolve"])
        assert "ALLOWED_SOURCE_NETWORKS" in report["remedy"]
        assert "127.0.0.1" not in json.dumps(report)

    def test_nobody_listens(self, api):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        assert failed(tried(api, http(f"http://127.0.0.1:{port}"))) == ["connect"]

    def test_no_tls(self, api):
        with talker(b"220 hello\r\n") as port:
            report = tried(api, http(f"https://127.0.0.1:{port}"))
        assert (report["verdict"], failed(report)) == ("unreachable", ["tls"])
        assert "certificate" in report["remedy"]

    def test_it_ends_in_time_whatever_the_server_does(self, api, server, monkeypatch):
        monkeypatch.setattr(trial, "TRIAL_SECONDS", 1.0)
        server.default = hang
        began = time.monotonic()

        report = tried(api, {"source": http(server.url), "file": LEDGER})

        assert time.monotonic() - began < 4
        assert report["verdict"] == "timed_out"

    def test_a_redirect_to_a_reserved_address_is_not_followed(self, api, server, settings):
        settings.ENVIRONMENT = {**settings.ENVIRONMENT, "ALLOWED_SOURCE_NETWORKS": ("127.0.0.1/32",)}
        with web_server() as other:
            server.default = reply("301 Moved", Location=f"http://127.0.0.2:{other.port}/x")
            report = tried(api, http(server.url))
            assert not other.asked
        assert failed(report) == ["read"]


@contextmanager
def talker(words: bytes):
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(words)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


class TestBuckets:
    @pytest.fixture
    def moto(self):
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        url = "http://{}:{}".format(*server.get_host_and_port())
        client = boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        client.create_bucket(Bucket="symbols")
        library = symbolserver.demo_files()[symbolserver.LEDGER]
        client.put_object(Bucket="symbols", Key=f"windows/{symbolserver.LEDGER}", Body=library)
        yield url
        server.stop()

    def bucket(self, url: str, **fields: Any) -> dict[str, Any]:
        return {**S3, "secret_key": PASSWORD, "region": ["local", url], "layout": {"type": "native"}, **fields}

    def test_a_bucket_that_works(self, api, moto):
        report = tried(api, {"source": self.bucket(moto), "file": LEDGER})
        assert (report["verdict"], report["layout"]) == ("ok", "native")
        assert statuses(report) == dict.fromkeys(STEPS, "ok") | {"tls": "skipped"}
        assert "1 file" in text_of(report, "list")

    def test_a_bucket_that_does_not_exist(self, api, moto):
        report = tried(api, self.bucket(moto, bucket="nothing"))
        assert report["verdict"] == "refused"
        assert "does not exist" in report["cause"]

    def test_an_unknown_access_key(self, api, server):
        server.default = reply("403 Forbidden", b"<Error><Code>InvalidAccessKeyId</Code></Error>")
        assert failed(tried(api, self.bucket(server.url))) == ["authenticate"]

    def test_the_right_to_list_is_missing(self, api, server):
        server.default = reply("403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>")
        report = tried(api, self.bucket(server.url))
        assert failed(report) == ["list"]
        assert "s3:ListBucket" in report["remedy"]
        assert "cannot be told" in text_of(report, "read")

    def test_a_private_key_that_cannot_be_read(self, api, monkeypatch):
        # Google's servers are not asked: only what comes before them.
        monkeypatch.setattr(trial.Way, "resolve", lambda self: 1)
        monkeypatch.setattr(trial.Way, "connect", lambda self: None)
        monkeypatch.setattr(trial.Way, "handshake", lambda self: None)
        report = tried(api, GCS)
        assert report["verdict"] == "not_configured"
        assert "private key cannot be read" in report["cause"]


class TestStoredSources:
    def test_a_stored_source_is_tested_with_its_secret(self, api, sources, symbols):
        symbols.authorization = symbolserver.basic("reader", PASSWORD)
        sources.add(http(symbols.url, username="reader", password=PASSWORD))

        assert tried(api, {"file": LEDGER}, "?id=honk")["verdict"] == "ok"
        assert tried(api, {}, "?id=honk")["verdict"] == "ok"

    def test_a_kept_secret_goes_where_it_went_before(self, api, sources, symbols):
        symbols.authorization = symbolserver.basic("reader", PASSWORD)
        sources.add(http(symbols.url, username="reader", password=PASSWORD))
        changed = http(f"{symbols.url}below/", username="reader", password=HIDDEN)

        assert tried(api, changed, "?id=honk")["verdict"] == "ok"

    def test_and_nowhere_else(self, api, sources, symbols, server):
        sources.add(http(symbols.url, username="reader", password=PASSWORD))

        response = api.post(f"{PATH}?id=honk", http(server.url, username="reader", password=HIDDEN))

        assert response.status_code == 400
        assert "would be sent to another place" in response.json()["error"]
        assert not server.asked

    def test_a_hidden_secret_without_a_stored_source_is_refused(self, api, symbols):
        response = api.post(PATH, http(symbols.url, username="reader", password=HIDDEN))
        assert response.status_code == 400

    def test_of_another_project_it_is_unknown(self, api, acme, sources):
        sources.add(HTTP)
        make_project(acme, "other")
        response = api.post(PATH.replace("native-app", "other") + "?id=honk", {})
        assert response.status_code == 404

    def test_a_type_that_is_only_imported(self, api):
        response = api.post(PATH, APPLE)
        assert response.status_code == 200
        assert response.json()["steps"] == []
        assert response.json()["verdict"] == "not_configured"

    def test_nothing_is_stored_and_nothing_audited(self, api, sources, symbols, settings, tmp_path: Path):
        settings.CACHE_DIR = tmp_path / "cache"
        sources.add(http(symbols.url))
        before = AuditEntry.objects.count()

        tried(api, {"source": http(symbols.url, id="new"), "file": LEDGER})
        tried(api, {"file": LEDGER}, "?id=honk")

        assert list(SymbolSource.objects.values_list("source_id", "revision")) == [("honk", 1)]
        assert AuditEntry.objects.count() == before
        assert not (tmp_path / "cache").exists()


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({}, "source"),
            ([], "JSON object"),
            ({"source": {}}, "type"),
            ({"source": 5}, "JSON object"),
            ({"honk": 1}, "'honk'"),
            ({"source": HTTP, "file": []}, "file"),
            ({"source": HTTP, "file": {}}, "file"),
            ({"source": HTTP, "file": {"debug_id": "honk"}}, "file.debug_id"),
            ({"source": HTTP, "file": {"debug_id": ["x"]}}, "file.debug_id"),
            ({"source": HTTP, "file": {"code_id": "ab", "nose": 1}}, "file.nose"),
            ({"source": {**HTTP, "url": "ftp://x"}}, "url"),
            ({**HTTP, "password": 5}, "password"),
        ],
    )
    def test_what_makes_no_sense(self, api, body, words):
        response = api.post(PATH, body)
        assert response.status_code == 400, response.content
        assert words in response.json()["error"]

    def test_too_many_at_once(self, api, symbols, monkeypatch):
        monkeypatch.setattr(testing_api, "_places", threading.BoundedSemaphore(1))
        testing_api._places.acquire()
        assert api.post(PATH, http(symbols.url)).status_code == 503
        testing_api._places.release()
        assert api.post(PATH, http(symbols.url)).status_code == 200

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_no_other_method(self, api, method):
        assert api.request(method, PATH).status_code == 405


class TestAccess:
    def test_by_scope(self, acme, acme_project, symbols):
        for scope in SCOPES:
            status = Api(make_token(acme, scopes=[scope])).post(PATH, http(symbols.url)).status_code
            assert status == (200 if scope in ("project:write", "project:admin") else 403), scope

    def test_by_token(self, acme, acme_project, umbrella, server):
        body = http(server.url)
        assert Api().post(PATH, body).status_code == 401
        assert Api(make_token(umbrella)).post(PATH, body).status_code == 401
        assert Api(make_token(acme, make_project(acme, "other"))).post(PATH, body).status_code == 404
        assert not server.asked

    def test_by_role(self, acme_project, owner: User, admin: User, member: User, stranger: User, server):
        answers = [Api(user=one).post(PATH, http(server.url)).status_code for one in (owner, admin, member, stranger)]
        assert answers == [200, 200, 403, 404]
        assert Api(user=owner, csrf=False).post(PATH, http(server.url)).status_code == 403


class TestLayouts:
    def test_paths_of_every_layout_fit_it(self):
        from engine.lookup.file_types import DEBUG_FILES
        from engine.modules import DebugId, ModuleType, Wanted
        from engine.sourcetypes.config import Filters
        from engine.sourcetypes.filters import wanted_paths

        identity = DebugId.parse("3249d99d-0c40-4931-8610-f4e4fb0b6936-1")
        for kind in (ModuleType.ELF, ModuleType.MACHO, ModuleType.PE):
            code_id = {"elf": "3988be7f44385cce25e399210deb9a5f57be012e", "pe": "5ab380779000"}.get(kind.value)
            wanted = Wanted(kind, code_id, "/x/crash.exe", identity, "/x/crash.pdb")
            for layout in LayoutType:
                paths = [path for _, path in wanted_paths(Filters(), Layout(type=layout), wanted, DEBUG_FILES[kind])]
                keyed = [path for path in paths if layout is not LayoutType.NATIVE or kind is not ModuleType.PE]
                assert all(fits(layout, path) or _windows(path) for path in keyed), (layout, keyed)
                if keyed and not any(_windows(path) for path in keyed):
                    assert guess_layout(keyed) is layout, (kind, layout, keyed)

    def test_of_what_fits_nothing_there_is_no_guess(self):
        assert guess_layout(["readme.txt", "a/b/c/d/e"]) is None
        assert guess_layout([]) is None


def _windows(path: str) -> bool:
    """Files that several layouts keep at the same place."""
    return path.endswith((".pdb", ".pd_", ".exe", ".ex_", ".sym"))


def test_every_step_has_a_remedy_for_every_failure():
    from engine.errors import FailureKind
    from sources.testing.steps import StepName

    assert all(remedy(step, kind).endswith(".") for step in StepName for kind in FailureKind)
