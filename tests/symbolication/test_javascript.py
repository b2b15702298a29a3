"""The endpoints for JavaScript: with a server of artifacts in the request, and with a project's own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from projects.models import ApiToken, Organization, Project
from tests.cast import Api, make_project, make_token
from tests.symbolication.symbolserver import SymbolServer, running

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("environment")]

ROOT = "/symbolicate-js"
PROJECT = "/api/0/projects/acme/native-app/symbolicate-js/"
SCRIPT = "function a(){throw 1}\n//# sourceMappingURL=app.min.js.map\n"
MAP = {
    "version": 3,
    "sources": ["src/cart.js"],
    "sourcesContent": ["export function addToCart() {\n  throw 1;\n}\n"],
    "names": ["addToCart"],
    # Column 0 is line 1 column 7, column 13 is line 2 column 2.
    "mappings": "AAAOA,aACL",
}
# As in the description of the protocol, where `type` and `headers` are not what they usually are.
DOCUMENTED: dict[str, Any] = {
    "source": {
        "id": "<id>",
        "url": "http://127.0.0.1:9/api/0/projects/sentry-org/sentry-project/artifact-lookup/",
        "token": "secret",
    },
    "stacktraces": [
        {
            "frames": [
                {
                    "function": "x",
                    "module": "x",
                    "filename": "x",
                    "abs_path": "x",
                    "lineno": 1,
                    "colno": 1,
                    "in_app": True,
                }
            ]
        }
    ],
    "modules": [{"code_file": "some-code-file", "debug_id": "some-debug-id", "type": "debug_id"}],
    "dist": "production",
    "release": "1.33.1",
    "scraping": {"enabled": True, "allowed_origins": ["*.domain.com"]},
}


@pytest.fixture
def acme_api(acme: Organization, acme_project: Project) -> Api:
    return Api(make_token(acme, scopes=["symbolicate:post", "project:read", "project:write"]))


@pytest.fixture
def web() -> Any:
    """A web server with a script and its map."""
    with running({"app.min.js": SCRIPT.encode(), "app.min.js.map": json.dumps(MAP).encode()}) as server:
        yield server


def body(server: SymbolServer | None = None, **more: Any) -> dict[str, Any]:
    url = server.url if server else "http://127.0.0.1:9/"
    frame = {"abs_path": f"{url}app.min.js", "lineno": 1, "colno": 14, "function": "a"}
    return {"stacktraces": [{"frames": [frame]}], **more}


def source(server: SymbolServer | None = None) -> dict[str, Any]:
    return {"id": "own", "url": f"{server.url if server else 'http://127.0.0.1:9/'}lookup", "token": "t"}


def frame(response: Any) -> dict[str, Any]:
    answer = response.json()
    assert answer["status"] == "completed", answer
    return answer["stacktraces"][0]["frames"][0]  # type: ignore[no-any-return]


def test_the_documented_example_is_a_request(acme_api: Api) -> None:
    answer = acme_api.post(f"{ROOT}?timeout=123&scope=123", DOCUMENTED).json()

    assert answer["status"] == "completed"
    assert answer["stacktraces"][0]["frames"][0]["abs_path"] == "x"
    assert answer["errors"] == [{"abs_path": "x", "type": "missing_source"}]


def test_a_frame_is_found_by_scraping(acme_api: Api, web: SymbolServer) -> None:
    found = frame(acme_api.post(ROOT, body(web, source=source(web))))

    assert (found["filename"], found["lineno"], found["context_line"]) == ("src/cart.js", 2, "  throw 1;")
    assert found["data"]["symbolicated"] is True
    assert "diagnosis" not in found


def test_a_server_of_artifacts_at_a_reserved_address_needs_the_operators_leave(
    acme_api: Api, web: SymbolServer, environment: Any
) -> None:
    environment(ALLOWED_SOURCE_NETWORKS=("umbrella=127.0.0.0/8",))

    found = frame(acme_api.post(ROOT, body(web, source=source(web), release="1")))

    assert found["data"]["symbolicated"] is False
    assert web.asked == []


def test_a_project_scrapes_by_its_own_rules_which_a_request_can_only_tighten(acme_api: Api, web: SymbolServer) -> None:
    assert frame(acme_api.post(PROJECT, body(web)))["data"]["symbolicated"] is True
    off = {"enabled": False, "allowed_origins": ["*"], "headers": {}}
    assert frame(acme_api.post(PROJECT, body(web, scraping=off)))["data"]["symbolicated"] is False

    stored = {"enabled": False, "allowed_origins": ["*"], "headers": {}, "verify_ssl": True}
    assert acme_api.put("/api/0/projects/acme/native-app/scraping/", stored).status_code == 200
    on = {"enabled": True, "allowed_origins": ["*"], "headers": {}}
    response = acme_api.post(PROJECT, body(web, scraping=on))
    assert frame(response)["data"]["symbolicated"] is False
    assert [error["type"] for error in response.json()["errors"]] == ["scraping_disabled"]
    assert frame(response)["diagnosis"]["verdict"] == "script_missing"


def test_a_project_takes_no_source_from_the_request(acme_api: Api) -> None:
    response = acme_api.post(PROJECT, body(source=source()))

    assert response.status_code == 422
    assert "source" in response.content.decode()


def test_what_is_no_request_is_refused_in_plain_text(acme_api: Api) -> None:
    wrong: list[Any] = [
        {},
        body(),
        body(source=None),
        body(source={"id": "a"}),
        body(source={"id": "a", "url": "ftp://x/"}),
        body(source=[source()]),
        body(source=source(), stacktraces=[{"frames": [{"abs_path": "x"}]}]),
        body(source=source(), stacktraces=[{"frames": [{"abs_path": "x", "lineno": -1}]}]),
        body(source=source(), scraping={"enabled": True}),
        body(source=source(), options={"frame_order": "sideways"}),
        [],
    ]
    for request in wrong:
        response = acme_api.post(ROOT, request)
        assert response.status_code == 422, request
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    for text in ("", "{", '{"a":' * 100_000, b"\xff"):
        assert acme_api.post(ROOT, text or b" ").status_code == 400
    assert acme_api.post(ROOT, "{}", content_type="text/plain").status_code == 415


def test_the_token_of_a_source_is_never_shown(acme_api: Api) -> None:
    for given in (source(), {**source(), "url": 5}, {**source(), "url": "ftp://canary-81d2/"}):
        response = acme_api.post(ROOT, body(source={**given, "token": "canary-81d2"}, release="1"))
        assert "canary-81d2" not in response.content.decode()


def test_who_may_ask(acme: Organization, umbrella: Organization, acme_project: Project, environment: Any) -> None:
    good, full = Api(make_token(acme, scopes=["symbolicate:post"])), body(source=source())
    scopeless, foreign = Api(make_token(acme, scopes=["project:admin"])), Api(make_token(umbrella))
    bound = Api(make_token(acme, project=make_project(acme, "other"), scopes=["symbolicate:post"]))

    assert [api.post(ROOT, full).status_code for api in (good, Api(), scopeless, foreign)] == [200, 401, 403, 200]
    asked = [api.post(PROJECT, body()).status_code for api in (good, Api(), scopeless, foreign, bound)]
    assert asked == [200, 401, 403, 401, 404]
    environment(SYMBOLICATOR_ANONYMOUS=True)
    assert [Api().post(ROOT, full).status_code, Api().post(PROJECT, body()).status_code] == [200, 401]
    ApiToken.objects.update(expires_at=datetime.now(UTC) - timedelta(minutes=1))
    assert [good.post(path, full).status_code for path in (ROOT, PROJECT)] == [401, 401]
