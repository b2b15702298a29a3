"""Who gets files: by each way to send a token, for each thing that can be wrong with it."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects import services as project_services
from projects.access import SYSTEM
from projects.models import ApiToken, AuditEntry
from symbolserver.models import Serving
from tests.cast import Api, make_project, make_token
from tests.debugfiles.uploading import LEDGER, LEDGER_CODE_ID, upload
from tests.symbolserver.asking import ask, ask_at, basic, content_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("blobs")]

PATH = f"buildid/{LEDGER_CODE_ID}/debuginfo"
SETTINGS = "/api/0/projects/acme/native-app/symbol-server/"
WAYS = ["path", "basic", "bearer"]


@pytest.fixture(autouse=True)
def ledger(acme_project, blobs):
    upload(acme_project, LEDGER.read_bytes(), "libledger.so")


def by(way, token, path=PATH, project="acme/native-app"):
    if way == "path":
        return ask(f"t/{token}/{path}", project=project)
    header = basic(token) if way == "basic" else f"Bearer {token}"
    return ask(path, project=project, authorization=header)


def refused(answer, status):
    assert answer.status_code == status
    assert b"ledger" not in answer.content
    assert LEDGER_CODE_ID.encode() not in answer.content
    assert (status == 401) == ("WWW-Authenticate" in answer.headers)
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("way", WAYS)
def test_a_token_for_symbols_gets_the_file(way, token):
    answer = by(way, token)
    assert answer.status_code == 200
    assert content_of(answer) == LEDGER.read_bytes()
    assert ApiToken.objects.get().last_used_at is not None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("problem", "status"),
    [
        ("unknown", 401),
        ("mistyped", 401),
        ("empty", 401),
        ("expired", 401),
        ("revoked", 401),
        ("other organization", 401),
        ("wrong scope", 403),
        ("other project", 404),
    ],
)
def test_a_token_that_opens_nothing_gets_nothing(way, problem, status, acme, umbrella, acme_project):
    refused(by(way, token_with(problem, acme, umbrella)), status)


def token_with(problem, acme, umbrella):
    match problem:
        case "unknown":
            return "0" * 64
        case "mistyped":
            return "not-a-token"
        case "empty":
            return ""
        case "expired":
            text = make_token(acme, scopes=["symbols:read"], expires_at=timezone.now() + timedelta(hours=1))
            ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
            return text
        case "revoked":
            text = make_token(acme, scopes=["symbols:read"])
            project_services.revoke_token(token=ApiToken.objects.get(), actor=SYSTEM)
            return text
        case "other organization":
            return make_token(umbrella)
        case "wrong scope":
            return make_token(acme, scopes=["project:read", "project:admin", "symbolicate:post"])
        case "other project":
            return make_token(acme, make_project(acme, "website"), scopes=["symbols:read"])


def test_without_a_token_the_client_is_asked_for_one(acme_project):
    answer = ask(PATH)
    refused(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic " + base64.b64encode(b"no colon").decode(), "Digest x", "Bearer", "\xff"]
)
def test_headers_that_hold_no_token_count_as_none(header):
    refused(ask(PATH, authorization=header), 401)


@pytest.mark.parametrize("project", ["acme/absent", "absent/native-app", "acme/-", "0/0", "9" * 40 + "/1"])
def test_whether_a_project_exists_is_not_told_to_strangers(project):
    refused(ask(PATH, project=project), 401)


def test_a_project_that_does_not_exist_is_not_found_for_a_token(token):
    refused(ask(PATH, token, project="acme/absent"), 404)


def test_numbers_address_organization_and_project_too(token, acme, acme_project):
    assert ask(PATH, token, project=f"{acme.pk}/{acme_project.pk}").status_code == 200


def test_a_token_of_one_project_opens_that_project_alone(acme, acme_project):
    bound = make_token(acme, acme_project, scopes=["symbols:read"])
    make_project(acme, "website")
    assert ask(PATH, bound).status_code == 200
    refused(ask(PATH, bound, project="acme/website"), 404)


def test_another_projects_files_are_not_found(token, acme):
    make_project(acme, "website")
    refused(ask(PATH, token, project="acme/website"), 404)


@pytest.mark.parametrize("credentials", ["none", "unknown", "other organization", "wrong scope"])
def test_a_public_project_serves_everybody(credentials, acme, umbrella, acme_project):
    Serving.objects.create(project=acme_project, public=True)
    token = None if credentials == "none" else token_with(credentials, acme, umbrella)
    assert content_of(ask(PATH, token)) == LEDGER.read_bytes()
    refused(ask("buildid/aaaaaaaa/debuginfo"), 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_it_is_read_only(method, token):
    assert ask(PATH, token, method=method).status_code == 405


def test_a_path_that_is_no_files_is_not_found_without_a_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        refused(ask("crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pd_"), 404)
        refused(ask("crash.pdb/3249D99D0C4049318610F4E4FB0B69361/file.ptr"), 404)
        refused(ask(f"t/{'0' * 64}/crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pd_"), 404)


def test_a_miss_costs_one_query_beside_the_tokens(token, django_assert_num_queries):
    ask(PATH, token)
    with django_assert_num_queries(2):
        refused(ask("buildid/aaaaaaaa/debuginfo", token), 404)


_MANY = """
    INSERT INTO debugfiles_debugfile (project_id, blob_id, object_index, object_offset, object_size, debug_id,
        debug_uuid, debug_appendix, code_id, file_types, symbol_type, kind, cpu, features, object_name, checksum)
    SELECT project_id, blob_id, n, 0, 1, n::text, md5(n::text)::uuid, 0, md5((-n)::text), file_types, symbol_type, '',
        '', '{}', 'file', '' FROM debugfiles_debugfile, generate_series(1, 5000) n
"""


def test_the_search_uses_the_indexes_on_ids_and_no_other_way(token, acme_project):
    with connection.cursor() as cursor:
        cursor.execute(_MANY)
        cursor.execute("ANALYZE debugfiles_debugfile")
    with CaptureQueriesContext(connection) as queries:
        ask("crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb", token)
    search = next(query["sql"] for query in queries if "debugfile" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {search}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan on debugfiles_debugfile" not in plan
    assert "debug_file_by_debug_id" in plan
    assert "debug_file_by_code_id" in plan


def test_settings_are_shown_changed_and_recorded(acme, acme_project):
    api = Api(make_token(acme, scopes=["project:admin"]))
    url = "http://testserver/symbols/acme/native-app/"
    assert api.get(SETTINGS).json() == {"public": False, "sources": False, "url": url}

    assert api.put(SETTINGS, {"public": True}).json() == {"public": True, "sources": False, "url": url}
    assert ask(PATH).status_code == 200
    (entry,) = AuditEntry.objects.filter(action="symbol_server.changed")
    assert entry.data == {"public": True, "sources": False}

    assert api.put(SETTINGS, {"public": True}).status_code == 200
    assert AuditEntry.objects.filter(action="symbol_server.changed").count() == 1
    assert api.put(SETTINGS, {}).json()["public"] is False
    refused(ask(PATH), 401)


@pytest.mark.parametrize(
    ("body", "field"), [({"public": "yes"}, "public"), ({"private": True}, None), ({"sources": None}, "sources")]
)
def test_settings_that_make_no_sense_are_refused(body, field, acme, acme_project):
    answer = Api(make_token(acme)).put(SETTINGS, body)
    assert answer.status_code == 400
    assert answer.json()["field"] == field


def test_only_project_admins_change_settings(acme, umbrella, acme_project, member):
    assert Api(make_token(acme, scopes=["project:read"])).get(SETTINGS).status_code == 200
    assert Api(make_token(acme, scopes=["symbols:read"])).get(SETTINGS).status_code == 403
    assert Api(make_token(acme, scopes=["project:write"])).put(SETTINGS, {"public": True}).status_code == 403
    assert Api(user=member).put(SETTINGS, {"public": True}).status_code == 403
    assert Api(make_token(umbrella)).get(SETTINGS).status_code == 401
    assert Api().get(SETTINGS).status_code == 401
    assert not Serving.objects.exists()


def test_the_root_of_a_symbol_server_tells_nothing(token):
    for address in ("/symbols/", "/symbols/acme/", "/symbols/acme/native-app", "/symbols/acme/native-app/"):
        assert ask_at(address, authorization=basic(token)).status_code == 404
