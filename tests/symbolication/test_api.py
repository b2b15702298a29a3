"""The endpoints: what they refuse and how, and whose requests they answer."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse

from projects.models import ApiToken, Organization, Project
from symbolication import pending, runtime
from symbolication.models import PendingRequest
from symbolication.views import base
from tests.cast import Api, make_project, make_token
from tests.symbolication.requests import first_frame, http_source, is_resolved, ledger
from tests.symbolication.symbolserver import SymbolServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("environment")]

ROOT = "/symbolicate"


def project_path(organization: object = "acme", project: object = "native-app") -> str:
    return f"/api/0/projects/{organization}/{project}/symbolicate/"


@pytest.fixture
def acme_api(acme: Organization, acme_project: Project) -> Api:
    return Api(make_token(acme, scopes=["symbolicate:post"]))


@pytest.fixture(params=["root", "project"])
def path(request: pytest.FixtureRequest) -> str:
    """Both endpoints that symbolicate."""
    return {"root": ROOT, "project": project_path()}[request.param]


def text_of(response: HttpResponse) -> str:
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    return response.content.decode()


class TestRefusals:
    @pytest.mark.parametrize(
        "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"]
    )
    def test_a_body_that_is_not_called_json_is_415_in_plain_text(
        self, acme_api: Api, path: str, content_type: str
    ) -> None:
        response = acme_api.post(path, "{}", content_type=content_type)

        assert response.status_code == 415
        assert "application/json" in text_of(response)

    @pytest.mark.parametrize(
        "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/x+json"]
    )
    def test_every_kind_of_json_is_read(self, acme_api: Api, path: str, content_type: str) -> None:
        assert acme_api.post(path, "{}", content_type=content_type).status_code == 200

    @pytest.mark.parametrize("body", [" ", "{", "{'a': 1}", b"\xff\xfe", '{"stacktraces": [}', '{"a":' * 100_000])
    def test_a_body_that_is_no_json_is_400_in_plain_text(self, acme_api: Api, path: str, body: str | bytes) -> None:
        response = acme_api.post(path, body)

        assert response.status_code == 400
        assert text_of(response)

    @pytest.mark.parametrize(
        "body",
        [
            5,
            [],
            "text",
            {"stacktraces": [{}]},
            {"stacktraces": [{"frames": [{"instruction_addr": "nonsense"}]}]},
            {"stacktraces": [{"frames": [{}]}]},
            {"modules": [{}]},
            {"signal": -1},
            {"options": {"frame_order": "sideways"}},
        ],
    )
    def test_json_that_is_no_request_is_422_in_plain_text(self, acme_api: Api, path: str, body: Any) -> None:
        response = acme_api.post(path, json.dumps(body))

        assert response.status_code == 422
        assert text_of(response)

    @pytest.mark.parametrize("query", ["timeout=abc", "timeout=", "timeout=-1", "timeout=1.5", f"timeout={2**64}"])
    def test_a_query_that_cannot_be_read_is_400_in_plain_text(self, acme_api: Api, path: str, query: str) -> None:
        response = acme_api.post(f"{path}?{query}", {})

        assert response.status_code == 400
        assert "timeout" in text_of(response)

    def test_a_parameter_given_twice_is_400_and_an_unknown_one_is_ignored(self, acme_api: Api, path: str) -> None:
        assert acme_api.post(f"{path}?scope=a&scope=b", {}).status_code == 400
        assert acme_api.post(f"{path}?other=a&other=b", {}).status_code == 200

    def test_a_body_over_the_limit_is_413_in_plain_text(
        self, acme_api: Api, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(base, "BODY_LIMIT", 100)

        response = acme_api.post(path, " " * 101)

        assert response.status_code == 413
        assert "100 bytes" in text_of(response)

    def test_the_body_may_be_larger_than_other_endpoints_allow(self, acme_api: Api, path: str) -> None:
        assert acme_api.post(path, "{}" + " " * 2_000_000).status_code == 200

    def test_without_a_place_in_flight_it_is_503(self, acme_api: Api, path: str, environment: Any) -> None:
        environment(MAX_CONCURRENT_REQUESTS=1)
        taken = runtime.take_ticket()
        assert taken is not None

        response = acme_api.post(path, {})
        assert response.status_code == 503
        assert response.json() == {"detail": "maximum number of concurrent requests reached"}

        taken.close()
        assert acme_api.post(path, {}).status_code == 200

    @pytest.mark.parametrize("body", ["{", json.dumps({"signal": -1}), json.dumps({"sources": [{"id": "a"}]}), "{}"])
    def test_a_refused_request_gives_its_place_back(
        self, acme_api: Api, path: str, environment: Any, body: str
    ) -> None:
        environment(MAX_CONCURRENT_REQUESTS=1)

        assert 503 not in [acme_api.post(path, body).status_code for _ in range(3)]

    @pytest.mark.parametrize(
        "source",
        [
            {"type": "filesystem", "id": "a", "path": "/"},
            {"type": "s3", "id": "a", "bucket": "b", "region": "us-east-1", "aws_credentials_provider": "container"},
            {"type": "http", "id": "a", "url": "https://a/", "accept_invalid_certs": True},
            {"type": "http", "id": "a"},
            {"type": "http", "id": "a", "url": "https://a/", "filters": {"path_patterns": ["a**b["]}},
            {"type": "ftp", "id": "a"},
            "text",
        ],
    )
    def test_a_source_that_is_wrong_or_the_operators_alone_is_422(self, acme_api: Api, source: Any) -> None:
        response = acme_api.post(ROOT, {"sources": [source]})

        assert response.status_code == 422
        assert "sources[0]" in text_of(response)

    def test_a_wrong_source_does_not_bring_its_secrets_into_the_answer(self, acme_api: Api) -> None:
        canary = "canary-0b1f"
        for source in (
            {"type": "http", "id": "a", "url": f"ftp://u:{canary}@host/"},
            {"type": "http", "id": "a", "url": "https://a/", "headers": {"authorization": f"{canary}\n"}},
            {"type": "s3", "id": "a", "bucket": "b", "region": 5, "secret_key": canary},
            {"type": canary},
        ):
            response = acme_api.post(ROOT, {"sources": [source]})
            assert response.status_code == 422
            assert canary not in response.content.decode()

    @pytest.mark.parametrize("sources", [[], [{"id": "a", "type": "http", "url": "https://a/"}], 5, "x"])
    def test_a_project_takes_no_sources_from_the_request(self, acme_api: Api, sources: Any) -> None:
        response = acme_api.post(project_path(), {"sources": sources})

        assert response.status_code == 400
        assert response.json() == {"detail": "sources: the project's stored sources are used; leave this field out"}

    def test_a_project_takes_null_for_the_sources(self, acme_api: Api) -> None:
        assert acme_api.post(project_path(), {"sources": None}).status_code == 200

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
    def test_other_methods_are_405(self, acme_api: Api, path: str, method: str) -> None:
        response = acme_api.request(method, path)

        assert response.status_code == 405
        assert "POST" in response.headers["Allow"]

    def test_whatever_a_client_accepts_it_gets_json(self, acme_api: Api, path: str) -> None:
        response = acme_api.post(f"{path}?format=xml", {}, accept="text/html")

        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json"


class TestAccess:
    def test_without_a_token_it_is_401_with_a_challenge(self, acme_project: Project, path: str) -> None:
        response = Api().post(path, {})

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'xBasic realm="api"'
        assert list(response.json()) == ["detail"]

    @pytest.mark.parametrize("token", ["", "nonsense", "0" * 64, "a b"])
    def test_an_unknown_token_is_401(self, acme_project: Project, path: str, token: str) -> None:
        assert Api().post(path, {}, authorization=f"Bearer {token}").status_code == 401

    def test_an_expired_token_is_401(self, acme: Organization, acme_project: Project, path: str) -> None:
        token = make_token(acme)
        ApiToken.objects.update(expires_at=datetime.now(UTC) - timedelta(minutes=1))

        assert Api(token).post(path, {}).json() == {"detail": "Token expired"}

    def test_a_token_without_the_scope_is_403(self, acme: Organization, acme_project: Project, path: str) -> None:
        response = Api(make_token(acme, scopes=["project:read", "org:admin"])).post(path, {})

        assert response.status_code == 403
        assert list(response.json()) == ["detail"]

    def test_a_token_of_another_organization_is_401(self, acme_project: Project, umbrella: Organization) -> None:
        assert Api(make_token(umbrella)).post(project_path(), {}).status_code == 401

    def test_an_unknown_organization_looks_like_another_one(self, acme_api: Api) -> None:
        assert acme_api.post(project_path("nobody"), {}).status_code == 401

    def test_an_unknown_project_and_one_of_another_token_look_the_same(self, acme: Organization) -> None:
        bound = Api(make_token(acme, project=make_project(acme, "mine"), scopes=["symbolicate:post"]))
        make_project(acme, "other")

        answers = [bound.post(project_path("acme", name), {}) for name in ("other", "nothing")]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
        assert bound.post(project_path("acme", "mine"), {}).status_code == 200

    def test_missing_scope_comes_before_unknown_project(self, acme: Organization) -> None:
        assert Api(make_token(acme, scopes=["project:read"])).post(project_path("acme", "none"), {}).status_code == 403

    def test_ids_and_slugs_both_address(self, acme_api: Api, acme: Organization, acme_project: Project) -> None:
        assert acme_api.post(project_path(acme.id, acme_project.id), {}).status_code == 200

    def test_a_member_who_is_signed_in_symbolicates_for_the_project(self, member: User, acme_project: Project) -> None:
        assert Api(user=member).post(project_path(), ledger()).json()["status"] == "completed"

    def test_a_signed_in_request_without_the_csrf_token_is_403(self, member: User, acme_project: Project) -> None:
        assert Api(user=member, csrf=False).post(project_path(), {}).status_code == 403

    def test_a_member_of_another_organization_finds_nothing(self, stranger: User, acme_project: Project) -> None:
        assert Api(user=stranger).post(project_path(), {}).status_code == 404

    def test_who_may_not_ask_is_told_before_anything_else(self, acme_project: Project, path: str) -> None:
        assert Api().post(f"{path}?timeout=abc", "{", content_type="text/plain").status_code == 401

    def test_on_a_trusted_network_the_root_needs_no_token(self, acme_project: Project, environment: Any) -> None:
        environment(SYMBOLICATOR_ANONYMOUS=True)

        assert Api().post(ROOT, {}).status_code == 200
        assert Api("0" * 64).post(ROOT, {}).status_code == 401
        assert Api().post(project_path(), {}).status_code == 401

    def test_the_health_check_is_for_everybody(self) -> None:
        response = Api().get("/healthcheck")

        assert (response.status_code, response.content) == (200, b"ok")


class TestPending:
    @pytest.fixture
    def gate(self, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
        """The engine computes only when this is set."""
        gate = threading.Event()
        symbolicate = runtime.engine().symbolicate

        def gated(*args: Any, **kwargs: Any) -> bytes:
            assert gate.wait(30)
            return symbolicate(*args, **kwargs)

        monkeypatch.setattr(runtime.engine(), "symbolicate", gated)
        return gate

    @pytest.mark.django_db(transaction=True)
    def test_a_pending_answer_names_the_request_and_when_to_come_back(
        self, acme_api: Api, path: str, gate: threading.Event
    ) -> None:
        answer = acme_api.post(f"{path}?timeout=0", {}).json()

        assert answer == {"status": "pending", "request_id": answer["request_id"], "retry_after": 30}
        assert UUID(answer["request_id"]).version == 4
        gate.set()
        assert acme_api.get(f"/requests/{answer['request_id']}").json()["status"] == "completed"

    @pytest.mark.django_db(transaction=True)
    def test_asking_waits_no_longer_than_told(self, acme_api: Api, gate: threading.Event) -> None:
        first = acme_api.post(f"{ROOT}?timeout=0", {}).json()
        address = f"/requests/{first['request_id']}?timeout=0"

        assert acme_api.get(address).json() == first
        gate.set()
        acme_api.get(address.replace("=0", "=20"))
        assert [acme_api.get(address).json()["status"] for _ in range(3)] == ["completed"] * 3

    @pytest.mark.django_db(transaction=True)
    def test_nobody_else_finds_the_request(
        self, acme_api: Api, acme: Organization, umbrella: Organization, environment: Any, gate: threading.Event
    ) -> None:
        request_id = acme_api.post(f"{ROOT}?timeout=0", {}).json()["request_id"]
        address = f"/requests/{request_id}?timeout=0"

        foreign = Api(make_token(umbrella)).get(address)
        assert (foreign.status_code, foreign.content) == (404, b"")
        assert Api(make_token(acme, scopes=["org:admin"])).get(address).status_code == 403
        assert Api().get(address).status_code == 401
        environment(SYMBOLICATOR_ANONYMOUS=True)
        assert Api().get(address).status_code == 404
        gate.set()
        assert acme_api.get(f"/requests/{request_id}").status_code == 200

    @pytest.mark.parametrize(
        "request_id",
        ["nonsense", "00000000-0000-0000-0000-000000000000", "d6aec680-c354-44fa-99ef-ce1130727f52", "x" * 900],
    )
    def test_an_unknown_or_malformed_id_is_404_with_an_empty_body(self, acme_api: Api, request_id: str) -> None:
        response = acme_api.get(f"/requests/{request_id}")

        assert (response.status_code, response.content) == (404, b"")

    def test_a_project_finds_its_organizations_requests(self, acme: Organization, acme_api: Api) -> None:
        request_id = uuid4()
        pending.finish(request_id, acme.id, b'{"status":"timeout"}')
        address = f"/api/0/projects/acme/native-app/requests/{request_id}/"

        assert acme_api.get(address).json() == {"status": "timeout"}
        unknown = acme_api.get(f"/api/0/projects/acme/native-app/requests/{uuid4()}/")
        assert (unknown.status_code, set(unknown.json())) == (404, {"detail"})

    def test_a_request_of_a_dead_process_is_an_internal_error(self, acme: Organization, acme_api: Api) -> None:
        now = datetime.now(UTC)
        row = PendingRequest.objects.create(
            organization=acme, owner="x", lease_until=now - timedelta(seconds=1), deadline=now + timedelta(minutes=9)
        )

        assert acme_api.get(f"/requests/{row.id}").json() == {"status": "internal_error"}

    def test_a_query_that_cannot_be_read_is_400(self, acme_api: Api) -> None:
        assert acme_api.get(f"/requests/{uuid4()}?timeout=abc").status_code == 400


class TestSources:
    def test_the_sources_of_the_request_are_asked(self, acme_api: Api, symbol_server: SymbolServer) -> None:
        answer = acme_api.post(ROOT, ledger(sources=[http_source(symbol_server.url)])).json()

        assert is_resolved(answer), answer
        assert {row["source"] for row in answer["modules"][0]["candidates"]} == {"builds"}

    def test_the_headers_of_a_source_are_sent_and_not_shown(self, acme_api: Api, symbol_server: SymbolServer) -> None:
        symbol_server.authorization = "Bearer canary-77aa"
        headers = {"authorization": "Bearer canary-77aa"}

        response = acme_api.post(ROOT, ledger(sources=[http_source(symbol_server.url, headers=headers)]))

        assert is_resolved(response.json())
        assert b"canary-77aa" not in response.content

    def test_an_empty_list_asks_nobody(self, acme_api: Api, symbol_server: SymbolServer, environment: Any) -> None:
        answer = acme_api.post(ROOT, ledger(sources=[])).json()

        assert first_frame(answer)["status"] == "missing"
        assert symbol_server.asked == []

    @pytest.mark.parametrize("absent", [{}, {"sources": None}])
    def test_without_sources_the_configured_ones_are_asked(
        self, acme_api: Api, symbol_server: SymbolServer, environment: Any, tmp_path: Any, absent: dict[str, Any]
    ) -> None:
        config = tmp_path / "config.json"
        config.write_text(json.dumps([http_source(symbol_server.url, "configured", is_public=True)]))
        # The operator's sources need no allow-list.
        environment(SYMBOLICATOR_CONFIG=str(config), ALLOWED_SOURCE_NETWORKS=())

        answer = acme_api.post(ROOT, ledger(**absent)).json()

        assert is_resolved(answer)
        assert {row["source"] for row in answer["modules"][0]["candidates"]} == {"configured"}

    def test_a_source_of_a_request_may_not_reach_reserved_addresses(
        self, acme_api: Api, symbol_server: SymbolServer, environment: Any
    ) -> None:
        environment(ALLOWED_SOURCE_NETWORKS=("umbrella=127.0.0.0/8",))

        answer = acme_api.post(ROOT, ledger(sources=[http_source(symbol_server.url)])).json()

        assert first_frame(answer)["status"] == "missing"
        assert answer["modules"][0]["debug_status"] == "fetching_failed"
        assert symbol_server.asked == []

    def test_scopes_do_not_share_what_was_fetched(self, acme_api: Api, symbol_server: SymbolServer) -> None:
        body = ledger(sources=[http_source(symbol_server.url)])
        counts = []
        for scope in ("one", "one", "two"):
            assert is_resolved(acme_api.post(f"{ROOT}?scope={scope}", body).json())
            counts.append(len(symbol_server.asked))

        assert counts[0] == counts[1] < counts[2]

    def test_a_public_source_of_a_request_is_still_kept_apart_by_scope(
        self, acme_api: Api, symbol_server: SymbolServer
    ) -> None:
        body = ledger(sources=[http_source(symbol_server.url, is_public=True)])
        acme_api.post(f"{ROOT}?scope=one", body)
        before = len(symbol_server.asked)

        acme_api.post(f"{ROOT}?scope=two", body)

        assert len(symbol_server.asked) > before

    def test_organizations_with_equal_sources_and_scopes_fetch_for_themselves(
        self, acme_api: Api, umbrella: Organization, symbol_server: SymbolServer
    ) -> None:
        body = ledger(sources=[http_source(symbol_server.url, is_public=True)])
        acme_api.post(ROOT, body)
        before = len(symbol_server.asked)

        assert is_resolved(Api(make_token(umbrella)).post(ROOT, body).json())

        assert len(symbol_server.asked) > before
