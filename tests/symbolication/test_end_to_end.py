"""Symbolication with stored sources on a running service, from storing one by REST to the name of a frame."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.service import Service
from tests.symbolication import symbolserver
from tests.symbolication.http import Tenant, call, new_tenant
from tests.symbolication.requests import crash, first_frame, http_source, is_resolved, ledger, stored_source
from tests.symbolication.symbolserver import SymbolServer, basic

PASSWORD = "canary-e2e-3c1f"
SECOND_PASSWORD = "canary-e2e-9d20"
HIDDEN = {"hidden-secret": True}


@pytest.fixture
def acme(service: Service) -> Tenant:
    return new_tenant(service)


@pytest.fixture
def umbrella(service: Service) -> Tenant:
    return new_tenant(service, 1)


@pytest.fixture
def guarded(symbol_server: SymbolServer) -> SymbolServer:
    """A symbol server that wants a user name and a password."""
    symbol_server.authorization = basic("builder", PASSWORD)
    return symbol_server


def store(tenant: Tenant, source: dict[str, Any]) -> None:
    answer = tenant.post(tenant.sources_url, source)
    assert answer.status == 201, answer.body


def with_password(url: str, password: Any = PASSWORD, **more: Any) -> dict[str, Any]:
    return stored_source(url, username="builder", password=password, **more)


def test_a_stored_source_with_a_password_names_a_frame(acme: Tenant, guarded: SymbolServer) -> None:
    store(acme, with_password(guarded.url))

    answer = acme.symbolicate(ledger()).json()

    assert is_resolved(answer), answer
    candidates = answer["modules"][0]["candidates"]
    assert {row["source"] for row in candidates} == {"builds"}
    assert [row["location"] for row in candidates if row["download"]["status"] == "ok"] == [
        guarded.url + symbolserver.LEDGER
    ]
    assert {asked.headers.get("authorization") for asked in guarded.asked} == {basic("builder", PASSWORD)}


def test_a_whole_crash_is_named_in_every_module_the_source_has(acme: Tenant, symbol_server: SymbolServer) -> None:
    store(acme, stored_source(symbol_server.url))

    answer = acme.symbolicate(crash()).json()

    ours = {"crashy", "libledger.so"}
    for frame in answer["stacktraces"][0]["frames"]:
        if frame.get("package", "").rpartition("/")[2] in ours and frame["status"] != "missing_symbol":
            assert frame["status"] == "symbolicated", frame
    found = {module["debug_file"]: module["debug_status"] for module in answer["modules"]}
    assert {found[name] for name in ours} == {"found"}
    assert "found" not in {status for name, status in found.items() if name not in ours}


def test_a_kept_secret_is_still_the_real_password(acme: Tenant, guarded: SymbolServer) -> None:
    store(acme, with_password(guarded.url))
    changed = with_password(guarded.url, HIDDEN, layout={"type": "native", "casing": "lowercase"})

    answer = call(f"{acme.sources_url}?id=builds", "PUT", changed, token=acme.token)

    assert (answer.status, answer.json()["password"]) == (200, HIDDEN)
    assert is_resolved(acme.symbolicate(ledger()).json())
    assert {asked.headers.get("authorization") for asked in guarded.asked} == {basic("builder", PASSWORD)}


def test_a_wrong_password_is_told_apart_from_a_missing_file_and_its_correction_counts_at_once(
    acme: Tenant, guarded: SymbolServer
) -> None:
    store(acme, with_password(guarded.url, "wrong"))
    refused = acme.symbolicate(ledger()).json()
    assert refused["modules"][0]["debug_status"] == "fetching_failed"
    assert "noperm" in {row["download"]["status"] for row in refused["modules"][0]["candidates"]}

    assert call(f"{acme.sources_url}?id=builds", "PUT", with_password(guarded.url), token=acme.token).status == 200

    # Asked often enough to meet both web processes.
    assert all(is_resolved(acme.symbolicate(ledger()).json()) for _ in range(8))


def test_a_deleted_source_is_asked_no_more(acme: Tenant, symbol_server: SymbolServer) -> None:
    store(acme, stored_source(symbol_server.url))
    assert is_resolved(acme.symbolicate(ledger()).json())

    assert call(f"{acme.sources_url}?id=builds", "DELETE", token=acme.token).status == 204

    for _ in range(8):
        assert first_frame(acme.symbolicate(ledger()).json())["status"] == "missing"


def test_the_first_of_two_sources_that_has_the_file_serves_it(acme: Tenant, symbol_server: SymbolServer) -> None:
    with symbolserver.running({}) as empty:
        store(acme, stored_source(empty.url, "first"))
        store(acme, stored_source(symbol_server.url, "second"))

        answer = acme.symbolicate(ledger()).json()

    assert is_resolved(answer)
    statuses = {(row["source"], row["download"]["status"]) for row in answer["modules"][0]["candidates"]}
    assert ("first", "notfound") in statuses
    assert ("second", "ok") in statuses


class TestIsolation:
    def test_equal_sources_with_different_passwords_never_share_a_file(
        self, acme: Tenant, umbrella: Tenant, guarded: SymbolServer
    ) -> None:
        store(acme, with_password(guarded.url))
        store(umbrella, with_password(guarded.url, SECOND_PASSWORD))
        assert is_resolved(acme.symbolicate(ledger()).json())

        # Acme's files lie in the caches of this host now.
        for query in ("", "?scope=global", "?scope=other"):
            for _ in range(4):
                answer = umbrella.symbolicate(ledger(), query).json()
                assert first_frame(answer)["status"] == "missing"
                assert "ok" not in {row["download"]["status"] for row in answer["modules"][0]["candidates"]}

    def test_a_copied_source_with_another_password_reads_nothing_at_the_root_either(
        self, acme: Tenant, umbrella: Tenant, guarded: SymbolServer
    ) -> None:
        def source(password: str) -> dict[str, Any]:
            headers = {"authorization": basic("builder", password)}
            return http_source(guarded.url, headers=headers, is_public=True)

        root = f"{acme.url}/symbolicate"
        assert is_resolved(acme.post(root, ledger(sources=[source(PASSWORD)])).json())

        for _ in range(4):
            answer = umbrella.post(root, ledger(sources=[source(SECOND_PASSWORD)])).json()
            assert first_frame(answer)["status"] == "missing"

    def test_an_endpoint_of_ones_own_does_not_change_what_others_get(
        self, acme: Tenant, umbrella: Tenant, symbol_server: SymbolServer
    ) -> None:
        path = symbolserver.LEDGER
        with symbolserver.running({path: b"not an object file"}) as poisoned:
            body = ledger(sources=[http_source(poisoned.url, is_public=True)])
            umbrella.post(f"{umbrella.url}/symbolicate", body)

        store(acme, stored_source(symbol_server.url))

        assert is_resolved(acme.symbolicate(ledger()).json())

    def test_a_project_of_the_same_organization_uses_its_own_sources_only(
        self, service: Service, acme: Tenant, symbol_server: SymbolServer
    ) -> None:
        store(acme, stored_source(symbol_server.url))
        assert is_resolved(acme.symbolicate(ledger()).json())
        other = new_tenant(service)
        assert other.organization == acme.organization

        answer = other.symbolicate(ledger()).json()

        assert first_frame(answer)["status"] == "missing"
        assert "candidates" not in answer["modules"][0]


class TestAccess:
    def test_tokens_open_their_own_projects_only(self, service: Service, acme: Tenant, umbrella: Tenant) -> None:
        bound = service.token(acme.organization, new_tenant(service).project, ["symbolicate:post"])
        scopeless = service.token(acme.organization, scopes=["project:read"])

        statuses = {
            "none": call(acme.symbolicate_url, "POST", {}).status,
            "stranger": call(acme.symbolicate_url, "POST", {}, token=umbrella.token).status,
            "scopeless": call(acme.symbolicate_url, "POST", {}, token=scopeless).status,
            "bound elsewhere": call(acme.symbolicate_url, "POST", {}, token=bound).status,
            "own": call(acme.symbolicate_url, "POST", {}, token=acme.token).status,
        }

        assert statuses == {"none": 401, "stranger": 401, "scopeless": 403, "bound elsewhere": 404, "own": 200}


class TestPending:
    def test_every_web_process_answers_for_a_pending_request(self, acme: Tenant, symbol_server: SymbolServer) -> None:
        store(acme, stored_source(symbol_server.url))
        symbol_server.hang()

        told = acme.symbolicate(ledger(), "?timeout=1").json()
        address = f"{acme.url}/requests/{told['request_id']}"

        assert told["status"] == "pending"
        # A connection each: the kernel spreads them over the processes.
        assert [acme.get(f"{address}?timeout=0").json() for _ in range(20)] == [told] * 20
        threading.Timer(0.5, symbol_server.release).start()
        assert is_resolved(acme.get(address).json())
        answers = {acme.get(f"{address}?timeout=0").body for _ in range(20)}
        assert len(answers) == 1

    def test_a_stranger_does_not_learn_that_a_request_exists(
        self, acme: Tenant, umbrella: Tenant, symbol_server: SymbolServer
    ) -> None:
        store(acme, stored_source(symbol_server.url))
        symbol_server.hang()
        request_id = acme.symbolicate(ledger(), "?timeout=0").json()["request_id"]

        answer = umbrella.get(f"{acme.url}/requests/{request_id}?timeout=0")

        assert (answer.status, answer.body) == (404, b"")

    def test_hanging_up_does_not_end_the_computation(self, acme: Tenant, symbol_server: SymbolServer) -> None:
        store(acme, stored_source(symbol_server.url))
        symbol_server.hang()
        with pytest.raises(TimeoutError):
            acme.symbolicate(ledger(), timeout=1)

        symbol_server.release()
        symbol_server.hanging = None
        deadline = time.monotonic() + 10
        while symbolserver.LEDGER not in symbol_server.paths():
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_no_password_comes_into_an_answer_or_the_log(acme: Tenant, service: Service, guarded: SymbolServer) -> None:
    store(acme, with_password(guarded.url))
    root = f"{acme.url}/symbolicate"
    secret_source = http_source(guarded.url, headers={"x-token": SECOND_PASSWORD})
    answers = [
        acme.symbolicate(ledger()),
        acme.symbolicate(ledger(), "?timeout=abc"),
        acme.post(root, ledger(sources=[secret_source])),
        acme.post(root, ledger(sources=[{**secret_source, "url": f"ftp://{SECOND_PASSWORD}/"}])),
        acme.post(root, ledger(sources=[http_source(guarded.url, headers={"x": f"{SECOND_PASSWORD}\r\n"})])),
    ]
    with symbolserver.running({}) as gone:
        store(acme, with_password(gone.url, SECOND_PASSWORD, source_id="gone"))
    answers.append(acme.symbolicate(ledger()))

    shown = b"".join(answer.body for answer in answers).decode() + service.log
    for secret in (
        PASSWORD,
        SECOND_PASSWORD,
        basic("builder", PASSWORD),
        basic("builder", SECOND_PASSWORD),
        acme.token,
    ):
        assert secret.removeprefix("Basic ") not in shown
