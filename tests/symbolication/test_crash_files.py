"""The endpoints for crash files: what they refuse and how, whom they let in, and what becomes of the file."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse

from projects.models import ApiToken, Organization, Project
from symbolication import crash_files, runtime
from tests.cast import Api, make_project, make_token
from tests.core.multipart import encoded
from tests.symbolication.forms import DUMP, REPORT, TYPE, form, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("environment")]

PROJECT = "/api/0/projects/acme/native-app"
PATHS = {
    "minidump": ("/minidump", DUMP),
    "project minidump": (f"{PROJECT}/minidump/", DUMP),
    "apple": ("/applecrashreport", REPORT),
    "project apple": (f"{PROJECT}/applecrashreport/", REPORT),
}
MISTAKES: list[tuple[str, bytes]] = [
    ("options", b"{"),
    ("options", b"[]"),
    ("options", b'{"dif_candidates": 5}'),
    ("options", b"[" * 100_000),
    ("options", b"\xff"),
    ("platform", b"native"),
    ("platform", b"5"),
    ("scraping", b"{}"),
    ("scraping", b'{"enabled": true, "allowed_origins": [], "headers": {"a": 1}}'),
    ("sources", b"x"),
    ("sources", b"{}"),
    ("sources", b'[{"id": "a"}]'),
    ("sources", b'[{"id": "a", "type": "filesystem", "path": "/"}]'),
    ("sources", b""),
    ("rewrite_first_module", b"{}"),
    ("rewrite_first_module", b'[{"from": "(", "to": ""}]'),
    ("rewrite_first_module", b'[{"from": "a"}]'),
]
MISSING = {DUMP: "missing minidump", REPORT: "missing apple crash report"}


@pytest.fixture
def acme_api(acme: Organization, acme_project: Project) -> Api:
    return Api(make_token(acme, scopes=["symbolicate:post"]))


@pytest.fixture(params=["minidump", "project apple"])
def endpoint(request: pytest.FixtureRequest) -> tuple[str, str]:
    """An endpoint and the part it takes: of each kind and at each place one, as both share their code."""
    return PATHS[request.param]


def detail(response: HttpResponse, status: int = 400) -> str:
    """The text of a refusal in JSON."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/json"
    body = json.loads(response.content)
    assert list(body) == ["detail"]
    return str(body["detail"])


def text(response: HttpResponse, status: int = 400) -> str:
    """The text of a refusal in plain text."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    return response.content.decode()


class TestForms:
    def test_without_a_boundary_it_is_400_in_plain_text(self, acme_api: Api, endpoint: tuple[str, str]) -> None:
        for content_type in ("", "application/json", "multipart/form-data", "multipart/mixed; boundary=x"):
            assert "boundary" in text(acme_api.post(endpoint[0], b"x", content_type=content_type))

    def test_a_damaged_form_is_400(self, acme_api: Api, endpoint: tuple[str, str]) -> None:
        body = form(**{endpoint[1]: b"MDMP" * 10, "options": {}})
        for damaged in (body[:-20], body[:5], b"x" + body, b"\0" * 500):
            assert "cannot be read" in detail(post(acme_api, endpoint[0], damaged))

    def test_a_form_without_the_file_says_so(self, acme_api: Api, endpoint: tuple[str, str]) -> None:
        path, part = endpoint
        assert detail(post(acme_api, path, encoded([]))) == MISSING[part]
        assert detail(post(acme_api, path, options={}, upload_file=b"MDMP")) == MISSING[part]

    def test_the_minidumps_part_does_not_serve_a_report_nor_the_other_way_round(self, acme_api: Api) -> None:
        assert detail(post(acme_api, "/minidump", apple_crash_report=b"x")) == MISSING[DUMP]
        assert detail(post(acme_api, "/applecrashreport", upload_file_minidump=b"x")) == MISSING[REPORT]

    def test_a_part_given_twice_is_named(self, acme_api: Api, endpoint: tuple[str, str]) -> None:
        path, part = endpoint
        for name in (part, "options"):
            body = encoded([(part, b"x"), (name, b"{}"), (name, b"{}")])
            assert detail(post(acme_api, path, body)) == f"{name}: given more than once"

    def test_a_minidump_that_is_a_form_itself_is_told(self, acme_api: Api) -> None:
        for path in ("/minidump", f"{PROJECT}/minidump/"):
            response = post(acme_api, path, upload_file_minidump=b"--boundary\r\n")
            assert detail(response) == "minidump contains multipart form data"

    def test_a_large_field_is_413_and_named_with_its_limit(self, acme_api: Api) -> None:
        for name in ("sources", "scraping", "options", "platform", "rewrite_first_module"):
            value = json.dumps("x" * 1024 * 1024)
            response = post(acme_api, "/minidump", upload_file_minidump=b"x", **{name: value})
            assert detail(response, 413) == f"{name}: larger than 1048576 bytes"

    def test_a_field_of_another_endpoint_is_ignored_whatever_its_size(self, acme_api: Api) -> None:
        body = form(apple_crash_report=b"", rewrite_first_module="[" * 2_000_000)

        assert post(acme_api, "/applecrashreport", body).status_code == 200

    def test_a_field_that_is_not_what_it_should_be_is_400_and_named(self, acme_api: Api) -> None:
        for name, value in MISTAKES:
            response = post(acme_api, "/minidump", encoded([(DUMP, b"x"), (name, value)]))
            assert detail(response).startswith(name), (name, value)

    def test_null_is_an_absent_field(self, acme_api: Api, endpoint: tuple[str, str]) -> None:
        path, part = endpoint
        nulls = dict.fromkeys(("sources", "scraping", "options", "platform", "rewrite_first_module"), "null")

        assert post(acme_api, path, **{part: b"", **nulls}).status_code == 200

    def test_a_project_takes_no_sources_from_the_request(self, acme_api: Api) -> None:
        expected = "sources: the project's stored sources are used; leave this field out"
        for name in ("project minidump", "project apple"):
            path, part = PATHS[name]
            assert detail(post(acme_api, path, **{part: b"x", "sources": []})) == expected

    def test_a_body_over_the_limit_is_400_in_json(
        self, acme_api: Api, endpoint: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(crash_files, "FILE_LIMIT", 1000)
        path, part = endpoint

        assert "1000 bytes" in detail(post(acme_api, path, **{part: b"x" * 1000}))
        packed = gzip.compress(form(**{part: b"x" * 1000}))
        response = acme_api.post(path, packed, content_type=TYPE, content_encoding="gzip")
        assert "1000 bytes" in detail(response)

    def test_an_unknown_coding_is_415(self, acme_api: Api, endpoint: tuple[str, str]) -> None:
        response = acme_api.post(endpoint[0], b"x", content_type=TYPE, content_encoding="compress")

        assert "gzip" in detail(response, 415)

    def test_a_query_that_cannot_be_read_is_400_in_plain_text(self, acme_api: Api, endpoint: tuple[str, str]) -> None:
        path, part = endpoint
        for query in ("timeout=abc", "scope=a&scope=b"):
            assert text(post(acme_api, f"{path}?{query}", **{part: b"x"}))

    def test_without_a_place_in_flight_it_is_503_and_refusals_give_theirs_back(
        self, acme_api: Api, endpoint: tuple[str, str], environment: Any
    ) -> None:
        environment(MAX_CONCURRENT_REQUESTS=1)
        path, part = endpoint
        bodies = [b"x", form(options={}), form(**{part: b"x", "options": "{"}), form(**{part: b""})]
        assert 503 not in [post(acme_api, path, body).status_code for body in bodies]

        taken = runtime.take_ticket()
        assert taken is not None
        assert detail(post(acme_api, path, **{part: b"x"}), 503) == "maximum number of concurrent requests reached"
        taken.close()

    def test_other_methods_are_405(self, acme_api: Api, endpoint: tuple[str, str]) -> None:
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            assert acme_api.request(method, endpoint[0]).status_code == 405


class TestFiles:
    def test_an_unreadable_minidump_fails_with_a_reason(self, acme_api: Api) -> None:
        for path in ("/minidump", f"{PROJECT}/minidump/"):
            for content in (b"", b"not a dump at all", b"MDMP" + bytes(60)):
                response = post(acme_api, path, upload_file_minidump=content)
                assert response.status_code == 200
                assert set(response.json()) == {"status", "message"}
                assert response.json()["status"] == "failed"

    def test_an_unreadable_apple_report_fails_with_a_reason(self, acme_api: Api) -> None:
        for path in ("/applecrashreport", f"{PROJECT}/applecrashreport/"):
            response = post(acme_api, path, apple_crash_report=b"Incident Identifier: nonsense\n\n")
            assert response.json() == {"status": "failed", "message": "failed to parse apple crash report"}

    def test_no_file_is_open_after_the_answer(self, acme_api: Api, endpoint: tuple[str, str]) -> None:
        path, part = endpoint
        post(acme_api, path, **{part: b"x" * 10_000})
        before = len(os.listdir("/proc/self/fd"))
        for body in (form(**{part: b"x" * 10_000}), form(**{part: b"x" * 10_000, "options": "{"})):
            for _ in range(3):
                post(acme_api, path, body)

        assert len(os.listdir("/proc/self/fd")) <= before
        assert os.listdir(crash_files.spool()) == []


class TestAccess:
    def test_without_a_token_it_is_401_before_anything_else(
        self, acme_project: Project, endpoint: tuple[str, str]
    ) -> None:
        for response in (post(Api(), endpoint[0], b"x"), Api().post(f"{endpoint[0]}?timeout=x", b"", content_type="x")):
            assert response.status_code == 401
            assert response.headers["WWW-Authenticate"] == 'xBasic realm="api"'

    def test_an_expired_token_is_401(
        self, acme: Organization, acme_project: Project, endpoint: tuple[str, str]
    ) -> None:
        token = make_token(acme)
        ApiToken.objects.update(expires_at=datetime.now(UTC) - timedelta(minutes=1))

        assert post(Api(token), endpoint[0], b"x").json() == {"detail": "Token expired"}

    def test_a_token_without_the_scope_is_403(
        self, acme: Organization, acme_project: Project, endpoint: tuple[str, str]
    ) -> None:
        assert post(Api(make_token(acme, scopes=["project:admin", "org:admin"])), endpoint[0], b"x").status_code == 403

    def test_a_token_of_another_organization_is_401_and_of_another_project_404(
        self, acme: Organization, acme_project: Project, umbrella: Organization
    ) -> None:
        bound = Api(make_token(acme, project=make_project(acme, "other"), scopes=["symbolicate:post"]))
        for name in ("project minidump", "project apple"):
            assert post(Api(make_token(umbrella)), PATHS[name][0], b"x").status_code == 401
            assert post(bound, PATHS[name][0], b"x").status_code == 404

    def test_on_a_trusted_network_the_root_needs_no_token(self, acme_project: Project, environment: Any) -> None:
        environment(SYMBOLICATOR_ANONYMOUS=True)
        for name, (path, part) in PATHS.items():
            expected = 401 if "project" in name else 200
            assert post(Api(), path, **{part: b""}).status_code == expected
            assert post(Api("0" * 64), path, **{part: b""}).status_code == 401

    def test_a_member_who_is_signed_in_sends_the_token_against_forgery_in_a_header(
        self, member: User, stranger: User, acme_project: Project
    ) -> None:
        for name in ("project minidump", "project apple"):
            path, part = PATHS[name]
            assert post(Api(user=member), path, **{part: b""}).status_code == 200
            assert post(Api(user=member, csrf=False), path, **{part: b""}).status_code == 403
            assert post(Api(user=stranger), path, **{part: b""}).status_code == 404
