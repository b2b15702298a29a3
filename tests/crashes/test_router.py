"""Who may submit, by which forms of address, and how refusals look."""

from __future__ import annotations

import gzip
import json
import re
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.utils import timezone

from core.wire import body as wire
from crashes import router
from debugfiles.models import DebugFile
from debugfiles.records.models import UploadRecord
from projects.models import ApiToken
from tests.cast import make_project, make_token
from tests.core.multipart import encoded
from tests.debugfiles.archives.building import tarred, zipped
from tests.debugfiles.uploading import LEDGER, LEDGER_DEBUG_ID, PROGUARD

CONTENT = LEDGER.read_bytes()
RXID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-0000-000000000000")


@pytest.fixture
def token(acme_project):
    return make_token(acme_project.organization, acme_project, ["symbol:post"])


def post(path, content=CONTENT, content_type="application/x-www-form-urlencoded", method="POST", **headers):
    client = Client(raise_request_exception=False)
    return client.generic(method, path, content, content_type, headers=headers)


def refusal(answer):
    assert answer["Content-Type"] == "application/json"
    assert answer["Access-Control-Allow-Origin"] == "*"
    return answer.status_code, answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/acme/{token}/symbols",
        "/acme/{token}/symbols/",
        "/ACME/{token}/symbols?upload_file=libledger.so",
        "/submit.backtrace.io/acme/{token}/symbols",
        "/acme/{token}/symbols&version=1.0",
        "/acme/{token}/json?format=symbols",
        "/acme/{token}?format=symbols",
        "/acme/{token}/?format=symbols",
        "/post?format=symbols&token={token}",
        "/post/?token={token}&format=symbols",
        "/api/post?token={token}&format=symbols&universe=acme&project=other",
        "/api/post?symbols&token={token}",
    ],
)
def test_every_form_of_address_is_taken_without_a_redirect(token, path):
    answer = post(path.format(token=token))
    assert answer.status_code == 200, answer.content
    assert answer.json()["response"] == "ok"
    assert RXID.fullmatch(answer.json()["_rxid"])
    assert DebugFile.objects.get().debug_id == LEDGER_DEBUG_ID


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/acme/{other}/symbols", 403, "invalid token"),
        ("/acme/short/symbols", 403, "invalid token"),
        ("/post?format=symbols", 403, "invalid token"),
        ("/umbrella/{token}/symbols", 503, "invalid subdomain"),
        ("/nobody/{token}/symbols", 503, "invalid subdomain"),
        ("/post?format=symbols&token={token}&universe=umbrella", 503, "invalid subdomain"),
        ("/acme/{token}/nonsense", 503, "unknown format"),
        ("/acme/{token}", 503, "missing format"),
        ("/post?token={token}", 503, "missing format"),
        ("/acme/{token}/minidump", 403, "invalid token: it needs the scope error:post"),
        ("/umbrella/{token}/json", 403, "invalid token: it needs the scope error:post"),
    ],
)
def test_refusals_by_address(token, umbrella, path, status, message):
    assert refusal(post(path.format(token=token, other="0" * 64))) == (status, message)
    assert not DebugFile.objects.exists()


@pytest.mark.parametrize("change", ["revoked", "expired"])
def test_a_token_that_has_ended_opens_nothing(token, change):
    moment = timezone.now() - timedelta(seconds=1)
    field = {"revoked": "revoked_at", "expired": "expires_at"}[change]
    ApiToken.objects.filter(prefix=token[:8]).update(**{field: moment})
    status, message = refusal(post(f"/acme/{token}/symbols"))
    assert status == 403
    assert message.startswith("invalid token")
    assert not DebugFile.objects.exists()


def test_a_token_of_a_whole_organization_needs_a_project(acme, umbrella_project):
    make_project(acme, "native-app")
    web = make_project(acme, "web")
    token = make_token(acme, scopes=["symbol:post"])
    assert refusal(post(f"/acme/{token}/symbols"))[0] == 403
    assert refusal(post(f"/acme/{token}/symbols?project=nothing"))[0] == 403
    assert refusal(post(f"/acme/{token}/symbols?project={umbrella_project.pk}"))[0] == 403
    assert post(f"/acme/{token}/symbols?project=web").status_code == 200
    assert UploadRecord.objects.get().project == web


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods(token, method):
    answer = post(f"/acme/{token}/symbols", method=method)
    assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")


@pytest.mark.parametrize(
    "path", ["/symbols/acme/web", "/docs/a/b", "/requests/a/b", "/static/a/b", "/api/0/nothing", "/a/b"]
)
def test_addresses_of_other_rooms_are_left_to_them(db, path):
    answer = post(path)
    assert answer.status_code in (401, 404, 405)
    assert b'"error":{"code"' not in answer.content


def test_a_refused_request_reads_nothing_of_its_body(token, monkeypatch):
    def untouched(*_):
        raise AssertionError("the body was read")

    monkeypatch.setattr(wire.WireRequest, "read", untouched, raising=False)
    assert post(f"/acme/{'0' * 64}/symbols").status_code == 403
    assert post(f"/umbrella/{token}/symbols").status_code == 503


FORM = "multipart/form-data; boundary=b0undary"


@pytest.mark.parametrize(
    "head",
    [
        'Content-Disposition: form-data; name="upload_file"; filename="C:\\\\build\\\\libledger.so"',
        'Content-Disposition: form-data; name="upload_file"; filename="/home/me/libledger.so"',
        'Content-Disposition: form-data; name="symbol_file"; filename="libledger.so"',
    ],
)
def test_forms_name_their_file_and_bring_tags_before_or_after_it(token, head):
    body = encoded([("version", b"1.0"), (head, CONTENT), ("tag", b"nightly"), ("_mod_sync", b"1"), ("v\0", b"\0")])
    answer = post(f"/acme/{token}/symbols?version=2.0&platform=Windows", body, FORM)
    assert answer.status_code == 200, answer.content
    row = UploadRecord.objects.get()
    assert (row.name, row.tag, row.taken) == ("libledger.so", "nightly", 1)
    assert row.values == {"version": "1.0", "platform": "Windows", "v\ufffd": "\ufffd"}


def test_a_file_without_a_file_name_is_known_by_its_part(token):
    answer = post(f"/acme/{token}/symbols", encoded([("upload_file", CONTENT), ("tag", b"t")]), FORM)
    assert answer.json()["uploads"][0]["taken_count"] == 1


def test_several_files_of_one_form(token):
    parts = [(f'Content-Disposition: form-data; name="upload_file"; filename="{n}"', c) for n, c in
             (("a.so", CONTENT), ("mapping.txt", PROGUARD))]  # fmt: skip
    answer = post(f"/acme/{token}/symbols", encoded(parts), FORM)
    assert [one["name"] for one in answer.json()["uploads"]] == ["a.so", "mapping.txt"]
    assert UploadRecord.objects.count() == 2


def test_packed_bodies_of_either_kind(token):
    raw = post(f"/acme/{token}/symbols", gzip.compress(CONTENT), **{"content-encoding": "gzip"})
    assert raw.status_code == 200
    form = gzip.compress(encoded([("upload_file", CONTENT)]))
    assert post(f"/acme/{token}/symbols", form, FORM, **{"content-encoding": "gzip"}).status_code == 200
    assert DebugFile.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "content_type", "headers", "status", "message"),
    [
        (b"", "text/plain", {}, 400, "it is empty"),
        (b"hello", "text/plain", {}, 400, "not a debug file"),
        (encoded([("tag", b"x")]), FORM, {}, 400, "no part upload_file"),
        (b"nonsense", FORM, {}, 400, "multipart"),
        (b"x", "multipart/form-data", {}, 400, "boundary"),
        (b"\x1f\x8b\x08\0broken", "", {"content-encoding": "gzip"}, 400, "malformed"),
        (b"x", "", {"content-encoding": "compress"}, 400, "gzip, deflate, br or zstd"),
        (encoded([("upload_file", b"x")] * 21), FORM, {}, 400, "more than 20 files"),
        (encoded([(f"f{n}", b"x") for n in range(10_000)]), FORM, {}, 400, "multipart"),
        (encoded([("field", b"x" * (1 << 20))]), FORM, {}, 413, "larger than"),
        (zipped({"a": b"b", "../b": b"c"}), "", {}, 400, "leads out of the archive"),
        (gzip.compress(tarred([("x", b"y")])), "", {}, 400, "x: not a debug file"),
    ],
    ids=[
        *("nothing", "text", "no file", "no form", "no boundary", "broken gzip", "unknown coding", "many files"),
        *("many parts", "long field", "unsafe name", "packed text"),
    ],
)
def test_bodies_that_are_of_no_use(token, content, content_type, headers, status, message):
    found = refusal(post(f"/acme/{token}/symbols", content, content_type, **headers))
    assert found[0] == status
    assert message in found[1]
    assert not UploadRecord.objects.exists()


def test_what_is_larger_than_allowed(token, settings, monkeypatch):
    from crashes import uploads

    monkeypatch.setattr(uploads, "max_upload_bytes", lambda: 1000)
    assert refusal(post(f"/acme/{token}/symbols"))[0] == 413
    bomb = gzip.compress(b"\0" * 100_000)
    assert refusal(post(f"/acme/{token}/symbols", bomb, **{"content-encoding": "gzip"}))[0] == 413


def test_of_a_mixed_archive_every_member_is_accounted_for(token):
    content = zipped({"lib/libledger.so": CONTENT, "notes.txt": b"x", "/abs.so": CONTENT})
    (upload,) = post(f"/acme/{token}/symbols", content).json()["uploads"]
    assert upload["taken"] == [{"name": "lib/libledger.so", "ids": [LEDGER_DEBUG_ID]}]
    assert {one["name"] for one in upload["refused"]} == {"notes.txt", "/abs.so"}


def test_a_preflight_needs_no_token(db):
    answer = post("/acme/whatever/json", b"", method="OPTIONS")
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (204, "*")


def test_a_mapping_needs_no_id_and_nothing_else_is_one(token):
    (upload,) = post(f"/acme/{token}/proguard", PROGUARD).json()["uploads"]
    assert upload["taken"][0]["name"] == "mapping.txt"
    assert refusal(post(f"/acme/{token}/proguard", CONTENT))[0] == 400


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError], ids=["refused", "lost"])
def test_a_database_that_does_not_answer_is_a_503(token, monkeypatch, kind):
    def broken(*_):
        raise kind("gone")

    monkeypatch.setattr(router, "admit", broken)
    answer = post(f"/acme/{token}/symbols")
    assert (refusal(answer)[0], answer["Retry-After"]) == (503, "5")


SYM = b"MODULE Linux x86_64 7FBE88393844CE5C25E399210DEB9A5F0 libledger.so\nPUBLIC 10 0 f\n"
SYM_ID = "7FBE88393844CE5C25E399210DEB9A5F0"
DONE = b'{ symbol_id: {debug_file: "libledger.so", debug_id: "%s" }, symbol_upload_type: "BREAKPAD" }'


@pytest.mark.parametrize("base", ["", "/some/base", "/api/0/projects/acme/native-app"])
def test_breakpads_second_protocol_step_by_step(token, base):
    status = f"{base}/v1/symbols/libledger.so/{SYM_ID}:checkStatus?key={token}"
    assert post(status, b"", method="GET").json() == {"status": "MISSING"}
    made = post(f"{base}/v1/uploads:create?key={token}", b"").json()
    path = made["uploadUrl"].removeprefix("http://testserver")
    assert path == f"{base}/v1/uploads/{made['uploadKey']}"
    end = f"{base}/v1/uploads/{made['uploadKey']}:complete?key={token}"
    assert refusal(post(end, DONE % SYM_ID.encode(), "application/son"))[0] == 400
    assert post(path, SYM, method="PUT").status_code == 200
    assert post(end, DONE % SYM_ID.encode(), "application/son").json() == {"result": "OK"}
    assert post(status, b"", method="GET").json() == {"status": "FOUND"}
    assert DebugFile.objects.get().object_name == "libledger.so"
    assert UploadRecord.objects.get().format == "sym_upload"


def test_a_file_that_was_there_before_is_a_duplicate(token):
    assert post(f"/acme/{token}/symbols", SYM).status_code == 200
    made = post(f"/v1/uploads:create?key={token}", b"").json()
    post(made["uploadUrl"].removeprefix("http://testserver"), SYM, method="PUT")
    end = f"/v1/uploads/{made['uploadKey']}:complete?key={token}"
    assert post(end, DONE % SYM_ID.encode()).json() == {"result": "DUPLICATE_DATA"}


def test_breakpads_addresses_open_to_their_token_alone(token, acme_project, umbrella_project):
    made = post(f"/v1/uploads:create?key={token}", b"").json()
    path = made["uploadUrl"].removeprefix("http://testserver")
    theirs = make_token(umbrella_project.organization, umbrella_project, ["symbol:post"])
    reader = make_token(acme_project.organization, acme_project, ["symbols:read"])
    web = make_project(acme_project.organization, "web")
    assert refusal(post("/v1/uploads:create?key=SECRETKEY", b""))[0] == 403
    assert refusal(post(f"/v1/uploads:create?key={reader}", b""))[0] == 403
    assert refusal(post(f"/v1/symbols/a/{SYM_ID}:checkStatus", b"", method="GET"))[0] == 403
    assert refusal(post(f"/api/0/projects/umbrella/native-app/v1/uploads:create?key={token}", b""))[0] == 503
    assert refusal(post(f"/api/0/projects/acme/{web.slug}/v1/uploads:create?key={token}", b""))[0] == 403
    assert refusal(post(f"{path}:complete?key={theirs}", DONE % SYM_ID.encode()))[0] == 403
    assert refusal(post(f"{path}x", SYM, method="PUT"))[0] == 403
    assert refusal(post(f"/v1/symbols/a/nonsense:checkStatus?key={token}", b"", method="GET"))[0] == 400
    ApiToken.objects.filter(prefix=token[:8]).update(revoked_at=timezone.now())
    assert refusal(post(path, SYM, method="PUT"))[0] == 403
    assert not DebugFile.objects.exists()


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{debug_file: "x"}', b"\xff" * 100, b'{debug_file: "x", debug_id: "zz"}']
)
def test_an_end_that_names_nothing(token, body):
    made = post(f"/v1/uploads:create?key={token}", b"").json()
    assert refusal(post(f"/v1/uploads/{made['uploadKey']}:complete?key={token}", body))[0] == 400


def test_the_answer_of_a_bomb_says_so(token, monkeypatch):
    from debugfiles.archives import Bounds
    from debugfiles.taking import symbols

    monkeypatch.setattr(symbols, "bounds", lambda: Bounds(total=1 << 20, floor=1 << 20))
    status, message = refusal(post(f"/acme/{token}/symbols", zipped({"x.so": b"\x7fELF" + b"\0" * (4 << 20)})))
    assert status == 400
    assert "unpacks to more than" in message


def test_values_that_come_along_are_bounded(token):
    query = "&".join(f"k{n}={'v' * 3000}" for n in range(2)) + "&" + "&".join(f"e{n}=1" for n in range(300))
    assert post(f"/acme/{token}/symbols?{query}").status_code == 200
    values = UploadRecord.objects.get().values
    assert len(values) == 100
    assert max(map(len, values.values())) == 2000
    assert json.dumps(values)
