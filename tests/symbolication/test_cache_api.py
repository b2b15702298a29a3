"""A project's part of the cache: who may see and purge it, what a purge reaches, and how soon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from projects.models import AuditEntry, Organization, Project
from projects.scopes import SCOPES
from symbolication import runtime
from tests.cast import Api, make_project, make_token
from tests.symbolication.http import call, new_tenant
from tests.symbolication.requests import crash, http_source, is_resolved, ledger, stored_source
from tests.symbolication.symbolserver import LEDGER, SymbolServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("environment", "acme_project")]

PROJECT = "/api/0/projects/acme/native-app/"
CACHE = f"{PROJECT}cache/"
LEDGER_DEBUG_ID = "7fbe8839-3844-ce5c-25e3-99210deb9a5f"
SEES = {"project:read", "project:write", "project:admin"}
PURGES = {"project:write", "project:admin"}


@pytest.fixture
def api(acme: Organization) -> Api:
    return Api(make_token(acme))


def store(api: Api, url: str, source_id: str = "builds", project: str = PROJECT) -> None:
    response = api.post(f"{project}symbol-sources/", stored_source(url, source_id))
    assert response.status_code == 201, response.content


def symbolicate(api: Api, body: Any = None, project: str = PROJECT) -> Any:
    response = api.post(f"{project}symbolicate/", body or ledger())
    assert response.status_code == 200, response.content
    return response.json()


def usage(api: Api, query: str = "", path: str = CACHE) -> dict[str, Any]:
    response = api.get(path + query)
    assert response.status_code == 200, response.content
    return response.json()  # type: ignore[no-any-return]


def purge(api: Api, query: str = "", path: str = CACHE) -> dict[str, Any]:
    response = api.delete(path + query)
    assert response.status_code == 200, response.content
    return response.json()  # type: ignore[no-any-return]


class TestAccess:
    @pytest.mark.parametrize(("method", "suffices"), [("GET", SEES), ("DELETE", PURGES)])
    def test_by_scope(self, acme: Organization, method: str, suffices: set[str]) -> None:
        for scope in SCOPES:
            status = Api(make_token(acme, scopes=[scope])).request(method, CACHE).status_code
            assert status == (200 if scope in suffices else 403), scope

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_by_token(self, acme: Organization, umbrella: Organization, method: str) -> None:
        assert Api().request(method, CACHE).status_code == 401
        assert Api(make_token(umbrella)).request(method, CACHE).status_code == 401
        assert Api(make_token(acme, make_project(acme, "other"))).request(method, CACHE).status_code == 404
        assert Api(make_token(acme)).request(method, CACHE.replace("native-app", "nothing")).status_code == 404

    def test_by_role(self, owner: User, admin: User, member: User, stranger: User) -> None:
        assert [Api(user=one).get(CACHE).status_code for one in (owner, admin, member, stranger)] == [200] * 3 + [404]
        assert [Api(user=one).delete(CACHE).status_code for one in (owner, admin, member, stranger)] == [
            200,
            200,
            403,
            404,
        ]
        assert Api(user=owner, csrf=False).delete(CACHE).status_code == 403

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    def test_no_other_method(self, api: Api, method: str) -> None:
        assert api.request(method, CACHE).status_code == 405


@pytest.mark.parametrize(
    "query",
    [
        "?debugid=1",
        "?debug_id=honk",
        "?debug_id=",
        "?source=",
        "?source=a&source=b",
        "?source=%00",
        f"?source={'a' * 256}",
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_selection_that_means_nothing_is_refused(
    api: Api, symbol_server: SymbolServer, method: str, query: str
) -> None:
    store(api, symbol_server.url)
    symbolicate(api)
    before = usage(api)

    response = api.request(method, CACHE + query)

    assert response.status_code == 400
    assert response.json()["code"]
    assert usage(api) == before


def test_what_was_fetched_is_counted_and_what_is_purged_is_fetched_again(api: Api, symbol_server: SymbolServer) -> None:
    store(api, symbol_server.url)
    assert usage(api) == {"files": 0, "misses": 0, "bytes": 0, "kinds": []}
    assert is_resolved(symbolicate(api))
    asked = len(symbol_server.asked)

    counted = usage(api)
    kinds = {one["kind"]: one for one in counted["kinds"]}
    assert kinds["objects"]["files"] == 1
    assert kinds["symcaches"]["files"] == 1
    assert kinds["objects"]["misses"] == asked - 1
    assert counted["bytes"] == sum(one["bytes"] for one in kinds.values()) > 20_000

    removed = purge(api)

    assert removed == {name: counted[name] for name in ("files", "misses", "bytes")}
    assert usage(api)["files"] == usage(api)["misses"] == 0
    assert is_resolved(symbolicate(api))
    assert len(symbol_server.asked) == 2 * asked


def test_a_file_that_was_missing_is_found_in_the_request_after_a_purge(api: Api, symbol_server: SymbolServer) -> None:
    library = symbol_server.files.pop(LEDGER)
    store(api, symbol_server.url)
    assert not is_resolved(symbolicate(api))
    symbol_server.files[LEDGER] = library
    assert not is_resolved(symbolicate(api))

    purge(api, f"?debug_id={LEDGER_DEBUG_ID}")

    assert is_resolved(symbolicate(api))


def test_one_module_is_purged_and_the_others_stay(api: Api, symbol_server: SymbolServer) -> None:
    store(api, symbol_server.url)
    symbolicate(api, crash())
    before, asked = usage(api), len(symbol_server.asked)

    purge(api, f"?debug_id={LEDGER_DEBUG_ID.upper()}")

    after = usage(api)
    assert after["files"] == before["files"] - 2
    assert usage(api, f"?debug_id={LEDGER_DEBUG_ID}")["files"] == 0
    symbolicate(api, crash())
    again = symbol_server.paths()[asked:]
    assert again
    assert all("libledger" in path or LEDGER in path for path in again), again


def test_one_source_is_purged_and_the_others_stay(api: Api, symbol_server: SymbolServer) -> None:
    store(api, symbol_server.url, "first")
    store(api, f"{symbol_server.url}more/", "second")
    symbolicate(api)

    purge(api, "?source=second")

    assert usage(api, "?source=second")["misses"] == 0
    assert usage(api, "?source=first")["files"] == 2


def test_another_organization_keeps_its_files(
    api: Api, umbrella: Organization, umbrella_project: Project, symbol_server: SymbolServer
) -> None:
    theirs, path = Api(make_token(umbrella)), "/api/0/projects/umbrella/native-app/"
    store(api, symbol_server.url)
    store(theirs, symbol_server.url, project=path)
    symbolicate(api)
    symbolicate(theirs, project=path)
    before, asked = usage(theirs, path=f"{path}cache/"), len(symbol_server.asked)

    purge(api)
    purge(api, "?source=builds")
    purge(api, f"?debug_id={LEDGER_DEBUG_ID}")

    assert usage(theirs, path=f"{path}cache/") == before
    assert is_resolved(symbolicate(theirs, project=path))
    assert len(symbol_server.asked) == asked


def test_the_operators_files_are_neither_counted_nor_purged(
    api: Api, symbol_server: SymbolServer, environment: Any, tmp_path: Path
) -> None:
    configuration = tmp_path / "symbolicator.json"
    configuration.write_text(json.dumps({"sources": [http_source(symbol_server.url, "builds", is_public=True)]}))
    environment(SYMBOLICATOR_CONFIG=str(configuration))
    store(api, f"{symbol_server.url}nothing/")
    assert is_resolved(api.post("/symbolicate", ledger()).json())
    asked = len(symbol_server.asked)

    assert usage(api)["files"] == 0
    purge(api)
    purge(api, "?source=builds")
    purge(api, f"?debug_id={LEDGER_DEBUG_ID}")

    assert is_resolved(api.post("/symbolicate", ledger()).json())
    assert len(symbol_server.asked) == asked


def test_a_purge_stands_in_the_audit_trail(api: Api) -> None:
    purge(api, f"?debug_id={LEDGER_DEBUG_ID}&source=builds")

    entry = AuditEntry.objects.filter(action="cache.purged").get()
    assert (entry.project.slug, entry.target) == ("native-app", LEDGER_DEBUG_ID)  # type: ignore[union-attr]
    assert entry.data == {"source": "builds", "debug_id": LEDGER_DEBUG_ID}


class TestCommand:
    def run(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
        call_command("cache", *arguments, "--json")
        return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]

    def test_stats_and_purges_of_every_kind(
        self, api: Api, symbol_server: SymbolServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        store(api, symbol_server.url)
        symbolicate(api, crash())
        whole = self.run(capsys, "stats")
        assert whole["directory"] == str(django_settings.CACHE_DIR)
        assert 0 < whole["bytes"] < whole["max_bytes"]

        own = ("--org", "acme", "--project", "native-app")
        assert self.run(capsys, "stats", *own)["kinds"] == whole["kinds"]
        assert self.run(capsys, "purge", "--debug-id", LEDGER_DEBUG_ID)["files"] == 2
        assert self.run(capsys, "purge", *own, "--source", "other") == {"files": 0, "misses": 0, "bytes": 0}
        assert self.run(capsys, "purge", *own)["files"] > 0
        symbolicate(api)
        assert self.run(capsys, "purge", "--org", "acme", "--source", "builds")["files"] == 2
        symbolicate(api)
        assert self.run(capsys, "purge", "--all")["files"] == 2
        assert self.run(capsys, "stats")["bytes"] == 0
        assert is_resolved(symbolicate(api))

    def test_it_is_readable(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("cache", "stats")
        assert "the limit is" in capsys.readouterr().out
        call_command("cache", "purge", "--all")
        assert capsys.readouterr().out == "Removed 0 files and 0 misses, 0 bytes.\n"

    @pytest.mark.parametrize(
        "arguments",
        [
            ("purge",),
            ("purge", "--all", "--source", "x"),
            ("purge", "--project", "native-app"),
            ("purge", "--debug-id", "honk"),
            ("purge", "--org", "nothing"),
            ("purge", "--org", "acme", "--debug-id", "honk"),
            ("stats", "--org", "acme", "--project", "nothing"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, arguments: tuple[str, ...]) -> None:
        with pytest.raises(CommandError):
            call_command("cache", *arguments)


def test_a_process_that_remembers_forgets_when_another_purges(api: Api, symbol_server: SymbolServer) -> None:
    from engine.caches import Selection
    from engine.caches import purge as purge_directory

    store(api, symbol_server.url)
    symbolicate(api)
    asked = len(symbol_server.asked)
    symbolicate(api)
    assert len(symbol_server.asked) == asked

    purge_directory(runtime.engine().store.cache_dir, Selection())

    assert is_resolved(symbolicate(api))
    assert len(symbol_server.asked) == 2 * asked


def test_every_web_process_forgets_in_its_very_next_request(service: Any, symbol_server: SymbolServer) -> None:
    tenant = new_tenant(service)
    assert tenant.post(tenant.sources_url, stored_source(symbol_server.url)).status == 201
    library = symbol_server.files.pop(LEDGER)
    for _ in range(8):
        assert not is_resolved(tenant.symbolicate(ledger()).json())
    symbol_server.files[LEDGER] = library

    answer = call(f"{tenant.project_url}/cache/?debug_id={LEDGER_DEBUG_ID}", "DELETE", token=tenant.token)

    assert answer.status == 200
    assert answer.json()["misses"] > 0
    for _ in range(8):
        assert is_resolved(tenant.symbolicate(ledger()).json())
