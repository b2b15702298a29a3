import json

import pytest
from django.db import connection
from django.test import Client

from symbolsvc import health


def test_livez_asks_no_database(client, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        assert client.get("/livez").status_code == 200


def test_livez_answers_without_a_database(client):
    # Without the `db` fixture any query fails the test.
    assert client.get("/livez").json() == {"status": "ok"}


def test_readyz_is_ready_when_all_is_well(client, db, settings, tmp_path):
    settings.CACHE_DIR = tmp_path / "cache"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert list((tmp_path / "cache").iterdir()) == []


def test_readyz_names_a_cache_directory_that_cannot_be_written(client, db, settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.CACHE_DIR = tmp_path / "file"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert list(answer.json()["problems"]) == ["cache"]


def test_readyz_names_missing_migrations(client, db, settings, tmp_path, monkeypatch):
    settings.CACHE_DIR = tmp_path
    monkeypatch.setattr(health, "_migrated", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'projects'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert list(answer.json()["problems"]) == ["migrations"]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_is_only_read(client, path):
    assert client.post(path).status_code == 405


def test_healthcheck_says_ok(client):
    answer = client.get("/healthcheck")
    assert (answer.status_code, answer.content) == (200, b"ok")


def test_healthcheck_is_only_read():
    asking = Client(enforce_csrf_checks=True)
    assert (asking.head("/healthcheck").status_code, asking.post("/healthcheck").status_code) == (200, 405)


def test_a_missing_slash_is_404_with_a_hint(client):
    answer = client.post("/api/0/projects/acme/web/symbol-sources", "{}", content_type="application/json")
    assert answer.status_code == 404
    assert answer.json()["info"].endswith("trailing slash? try: /api/0/projects/acme/web/symbol-sources/")


def test_a_missing_slash_is_plain_text_for_others(client):
    answer = client.get("/api/0/nothing")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert b"trailing slash" in answer.content


def test_an_unknown_address_of_the_api_is_json(client):
    answer = client.get("/api/0/nothing/")
    assert (answer.status_code, json.loads(answer.content)["detail"]) == (404, "Not found.")


def test_an_unknown_address_elsewhere_is_text(client):
    answer = client.get("/nothing")
    assert (answer.status_code, answer.content) == (404, b"Not found.")


def test_answers_carry_security_headers(client):
    headers = client.get("/livez").headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"].partition("script-src")[2].partition(";")[0]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "Strict-Transport-Security" not in headers


def test_tls_is_demanded_for_the_future_once_it_is_there(client):
    assert (
        "max-age=" in client.get("/livez", headers={"X-Forwarded-Proto": "https"}).headers["Strict-Transport-Security"]
    )


def test_a_request_id_is_kept_or_made(client):
    assert client.get("/livez", headers={"X-Request-Id": "from-proxy-1"}).headers["X-Request-Id"] == "from-proxy-1"
    made = client.get("/livez", headers={"X-Request-Id": "not acceptable\n"}).headers["X-Request-Id"]
    assert len(made) == 16


def test_the_documentation_needs_no_other_host_and_no_inline_script(client):
    page = client.get("/docs/").content.decode()
    assert "https://" not in page
    assert "<script>" not in page


def test_the_schema_is_there(client):
    assert client.get("/api/0/schema/").status_code == 200
