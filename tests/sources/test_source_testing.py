"""The test of a source: its steps against real servers, what it refuses, and that it stores and tells nothing."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from django.contrib.auth.models import User

from projects.scopes import SCOPES
from sources.testing import running, trial
from tests.cast import Api, make_project, make_token
from tests.engine.webserver import hang, reply, web_server
from tests.sources.helpers import HTTP
from tests.sources.trials import LEDGER, PASSWORD, PATH, STEPS, failed, http, statuses, text_of, tried
from tests.symbolication import symbolserver

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback")]


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
        monkeypatch.setattr(running, "_places", threading.BoundedSemaphore(1))
        running._places.acquire()
        assert api.post(PATH, http(symbols.url)).status_code == 503
        running._places.release()
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
