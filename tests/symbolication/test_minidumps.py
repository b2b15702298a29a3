"""Minidumps through the endpoints: a captured crash goes in, the stacks that a debugger shows come out."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from projects.models import Organization, Project
from symbolication import crash_files, runtime
from tests.cast import Api, make_token
from tests.debugfiles.uploading import upload
from tests.symbolication import symbolserver
from tests.symbolication.dumps import binaries, crashed_frames, dump, expected, served, told
from tests.symbolication.forms import TYPE, form, post
from tests.symbolication.requests import http_source
from tests.symbolication.symbolserver import SymbolServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("environment")]

PROJECT = "/api/0/projects/acme/native-app"
STORED = {"type": "minidump", "rewrite_first_module": []}


@pytest.fixture
def acme_api(acme: Organization, acme_project: Project) -> Api:
    return Api(make_token(acme, scopes=["symbolicate:post"]))


@pytest.fixture
def symbols() -> Iterator[SymbolServer]:
    with symbolserver.running(served()) as server:
        yield server


@pytest.fixture
def files() -> Iterator[SymbolServer]:
    """A server that has the dump."""
    with symbolserver.running({"crash.dmp": dump()}) as server:
        yield server


def test_the_stacks_of_a_dump_are_walked_and_named(acme_api: Api, symbols: SymbolServer) -> None:
    answer = post(
        acme_api,
        "/minidump",
        upload_file_minidump=dump(),
        sources=[http_source(symbols.url)],
        options={"dif_candidates": True},
        platform='"native"',
    ).json()

    assert answer["status"] == "completed"
    assert set(expected()) <= set(told(answer))
    assert crashed_frames(answer)[0]["function"] == "inl_touch"
    assert answer["crashed"] is True
    assert answer["crash_reason"].startswith("SIGSEGV")
    assert answer["system_info"]["os_name"] == "Linux"
    assert "diagnosis" not in json.dumps(answer)
    found = {module["code_file"].rpartition("/")[2]: module for module in answer["modules"]}
    assert {found[name]["debug_status"] for name in binaries()} == {"found"}
    assert {row["source"] for row in found["crashy"]["candidates"]} == {"builds"}


def test_a_packed_body_without_a_length_is_the_same_dump(acme_api: Api) -> None:
    body = form(upload_file_minidump=dump(), sources=[])
    plain = acme_api.post("/minidump", body, content_type=TYPE)
    packed = acme_api.post("/minidump", gzip.compress(body), content_type=TYPE, content_encoding="gzip")

    assert plain.json()["status"] == "completed"
    assert packed.content == plain.content


# Lookups have connections of their own.
@pytest.mark.django_db(transaction=True)
def test_a_projects_uploads_serve_its_dumps_and_stacks_say_what_would_mend_them(
    acme_api: Api, acme_project: Project, symbols: SymbolServer
) -> None:
    path = f"{PROJECT}/minidump/"
    before = post(acme_api, path, upload_file_minidump=dump()).json()
    assert told(before) == []
    for name, content in binaries().items():
        upload(acme_project, content, name)

    after = post(acme_api, path, upload_file_minidump=dump()).json()

    assert set(expected()) <= set(told(after))
    assert any(stack.get("diagnosis") for stack in after["stacktraces"])
    missing = next(module for module in after["modules"] if "libc" in module["code_file"])
    assert [source["name"] for source in missing["diagnosis"]["sources"]] == ["Uploaded files"]


def test_rewriting_the_first_module_changes_what_is_looked_for(acme_api: Api, symbols: SymbolServer) -> None:
    rules = [{"from": "^.*crashy$", "to": "renamed"}]
    layout = {"layout": {"type": "native"}, "filters": {"filetypes": ["breakpad"]}}

    answer = post(
        acme_api,
        "/minidump",
        upload_file_minidump=dump(),
        sources=[http_source(symbols.url, **layout)],
        rewrite_first_module=rules,
    ).json()

    assert any("renamed" in path for path in symbols.paths()), symbols.paths()
    assert answer["modules"][0]["debug_file"].endswith("crashy")


@pytest.mark.django_db(transaction=True)
def test_the_file_outlives_a_request_that_is_answered_as_pending(
    acme_api: Api, monkeypatch: pytest.MonkeyPatch, symbols: SymbolServer
) -> None:
    gate, minidump, forms = threading.Event(), runtime.engine().minidump, []

    def gated(*values: Any, **named: Any) -> bytes:
        assert gate.wait(30)
        return minidump(*values, **named)

    def remembered(*values: Any, **named: Any) -> Any:
        forms.append(read(*values, **named))
        return forms[-1]

    read = crash_files.read_multipart
    monkeypatch.setattr(runtime.engine(), "minidump", gated)
    monkeypatch.setattr(crash_files, "read_multipart", remembered)
    parts: dict[str, Any] = {"upload_file_minidump": dump(), "sources": [http_source(symbols.url)]}

    told_first = post(acme_api, "/minidump?timeout=0", **parts).json()

    assert told_first["status"] == "pending"
    assert not forms[0].files[0].file.closed
    gate.set()
    answer = acme_api.get(f"/requests/{told_first['request_id']}").json()
    assert set(expected()) <= set(told(answer))
    assert forms[0].files[0].file.closed


class TestStoredFiles:
    def test_a_dump_is_fetched_with_its_token(self, acme_api: Api, acme_project: Project, files: SymbolServer) -> None:
        files.authorization = "Bearer canary-11af"
        where = {**STORED, "storage_url": f"{files.url}crash.dmp", "storage_token": "canary-11af"}
        for path in ("/symbolicate-any", f"{PROJECT}/symbolicate-any/"):
            response = acme_api.post(path, {"symbolicate": where})
            assert crashed_frames(response.json())
            assert b"canary" not in response.content

    def test_the_sources_of_the_request_are_asked_and_none_without(
        self, acme_api: Api, files: SymbolServer, symbols: SymbolServer, environment: Any, tmp_path: Any
    ) -> None:
        config = tmp_path / "config.json"
        config.write_text(json.dumps([http_source(symbols.url, "configured")]))
        environment(SYMBOLICATOR_CONFIG=str(config))
        where = {**STORED, "storage_url": f"{files.url}crash.dmp"}

        silent = acme_api.post("/symbolicate-any", {"symbolicate": where}).json()
        assert (told(silent), symbols.asked) == ([], [])
        answer = acme_api.post("/symbolicate-any", {"symbolicate": where, "sources": [http_source(symbols.url)]}).json()
        assert set(expected()) <= set(told(answer))

    def test_an_apple_report_is_fetched_too(self, acme_api: Api) -> None:
        with symbolserver.running({"bad.crash": b"Incident Identifier: nonsense\n\n"}) as server:
            where = {"type": "applecrashreport", "storage_url": f"{server.url}bad.crash"}
            answer = acme_api.post("/symbolicate-any", {"symbolicate": where}).json()

        assert answer == {"status": "failed", "message": "failed to parse apple crash report"}

    def test_a_file_that_cannot_be_fetched_is_a_failure_with_a_reason(
        self, acme_api: Api, files: SymbolServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def message(path: str) -> str:
            answer = acme_api.post("/symbolicate-any", {"symbolicate": {**STORED, "storage_url": files.url + path}})
            assert (answer.status_code, answer.json()["status"]) == (200, "failed")
            return str(answer.json()["message"])

        assert message("nothing") == "failed to download the crash file: not found"
        files.authorization = "Bearer other"
        assert message("crash.dmp") == "failed to download the crash file: refused: 401 Unauthorized"
        files.authorization = None
        monkeypatch.setattr("symbolication.stored_files.FILE_LIMIT", 1000)
        assert message("crash.dmp").startswith("failed to download the crash file: too large")

    def test_a_file_at_a_reserved_address_needs_the_operators_leave(
        self, acme_api: Api, files: SymbolServer, environment: Any
    ) -> None:
        environment(ALLOWED_SOURCE_NETWORKS=("umbrella=127.0.0.0/8",), SYMBOLICATOR_ANONYMOUS=True)
        body = {"symbolicate": {**STORED, "storage_url": f"{files.url}crash.dmp"}}
        for api in (acme_api, Api()):
            answer = api.post("/symbolicate-any", body).json()
            assert answer["status"] == "failed"
            assert "restricted" in answer["message"]
        assert files.asked == []

    def test_what_is_no_request_is_refused_in_plain_text(self, acme_api: Api) -> None:
        url = "https://files.example.com/crash.dmp"
        wrong: list[Any] = [
            {},
            {"symbolicate": {}},
            {"symbolicate": {"type": "javascript", "storage_url": url}},
            {"symbolicate": {"type": "minidump", "storage_url": url}},
            {"symbolicate": {"type": "applecrashreport"}},
            {"symbolicate": {**STORED, "storage_url": url, "rewrite_first_module": [{"from": "(", "to": ""}]}},
            {"symbolicate": {**STORED, "storage_url": url, "rewrite_first_module": None}},
            {"symbolicate": {**STORED, "storage_url": url, "storage_token": "a\nb"}},
            {
                "symbolicate": {**STORED, "storage_url": url},
                "sources": [{"type": "filesystem", "id": "a", "path": "/"}],
            },
            {"symbolicate": {**STORED, "storage_url": url}, "scraping": {}},
            *(
                {"symbolicate": {**STORED, "storage_url": bad}}
                for bad in ("", "ftp://a/", "x", "http://", "http://[", 5)
            ),
        ]
        for request in wrong:
            response = acme_api.post("/symbolicate-any", request)
            assert response.status_code == 422, request
            assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert acme_api.post("/symbolicate-any", "{").status_code == 400
        assert acme_api.post("/symbolicate-any", "{}", content_type="text/plain").status_code == 415

    def test_a_rule_that_cannot_be_used_is_named_by_its_place_in_the_body(self, acme_api: Api) -> None:
        place = {**STORED, "storage_url": "https://files.example.com/crash.dmp"}
        refused = acme_api.post(
            "/symbolicate-any", {"symbolicate": place | {"rewrite_first_module": [{"from": "(", "to": ""}]}}
        )
        assert refused.content == b"$.symbolicate.rewrite_first_module[0].from: missing )"

    def test_who_may_ask(self, acme: Organization, umbrella: Organization, acme_project: Project) -> None:
        body = {"symbolicate": {"type": "applecrashreport", "storage_url": "http://127.0.0.1:9/"}}
        apis = [
            Api(make_token(acme, scopes=["symbolicate:post"])),
            Api(),
            Api(make_token(acme, scopes=["project:admin"])),
            Api(make_token(umbrella)),
        ]

        asked = {
            path: [api.post(path, body).status_code for api in apis]
            for path in ("/symbolicate-any", f"{PROJECT}/symbolicate-any/")
        }

        assert list(asked.values()) == [[200, 401, 403, 200], [200, 401, 403, 401]]

    def test_a_project_takes_no_sources_from_the_request(self, acme_api: Api) -> None:
        body = {"symbolicate": {**STORED, "storage_url": "https://x/"}, "sources": []}

        response = acme_api.post(f"{PROJECT}/symbolicate-any/", body)

        assert response.status_code == 400
        assert response.json() == {"detail": "sources: the project's stored sources are used; leave this field out"}
