"""Uploading by plain REST: every kind, raw and as a form, what comes back, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path

import pytest
from backports import zstd
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.blobs import blob_store
from core.blobs.errors import StoreFull
from debugfiles.models import ArtifactBundle, Blob, DebugFile, ReleaseFile
from projects.models import AuditEntry
from tests.cast import Api, make_token
from tests.debugfiles.uploading import (
    APP,
    DEBUG_ID,
    LEDGER,
    LEDGER_CODE_ID,
    LEDGER_DEBUG_ID,
    PROGUARD,
    bundle_of,
)

pytestmark = pytest.mark.django_db

PROJECT = "/api/0/projects/acme/native-app/"
FILES = f"{PROJECT}debug-files/"
BUNDLES = f"{PROJECT}artifact-bundles/"
RELEASES = f"{PROJECT}releases/"
BINARY = {"content_type": "application/octet-stream"}
UUID = "12345678-1234-4234-8234-123456789abc"


@pytest.fixture
def api(acme, acme_project):
    return Api(make_token(acme))


def form(*parts):
    """A multipart body: `(name, file name or None, content)`."""
    boundary = "xxBOUNDARYxx"
    body = b""
    for name, filename, content in parts:
        shown = f'; filename="{filename}"' if filename is not None else ""
        sent = content.encode() if isinstance(content, str) else content
        body += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'.encode() + sent + b"\r\n"
        )
    return body + f"--{boundary}--\r\n".encode(), {"content_type": f"multipart/form-data; boundary={boundary}"}


def test_a_debug_file_is_uploaded_shown_found_and_deleted(api):
    made = api.post(f"{FILES}?name=libledger.so", LEDGER.read_bytes(), **BINARY)

    assert made.status_code == 201
    (shown,) = made.json()
    assert (shown["debugId"], shown["codeId"], shown["symbolType"]) == (LEDGER_DEBUG_ID, LEDGER_CODE_ID, "elf")
    assert (shown["objectName"], shown["cpuName"], shown["size"]) == (
        "libledger.so",
        "x86_64",
        LEDGER.stat().st_size,
    )
    one = f"{FILES}{shown['id']}/"
    assert api.get(one).json() == shown
    for asked in (
        "query=ledger",
        f"query={LEDGER_DEBUG_ID}",
        f"debug_id={LEDGER_DEBUG_ID}",
        f"code_id={LEDGER_CODE_ID}",
    ):
        assert [row["id"] for row in api.get(f"{FILES}?{asked}").json()] == [shown["id"]], asked
    for asked in ("query=other", f"debug_id={UUID}", "code_id=00"):
        assert api.get(f"{FILES}?{asked}").json() == []

    assert api.delete(one).status_code == 204
    assert api.get(one).status_code == 404
    assert api.delete(one).status_code == 404
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True))[-2:] == [
        "debug_file.uploaded",
        "debug_file.deleted",
    ]


def test_the_same_file_twice_is_one_file(api):
    first = api.post(f"{FILES}?name=mapping.txt", PROGUARD, **BINARY)
    again = api.post(f"{FILES}?name=other.txt", PROGUARD, **BINARY)

    assert (first.status_code, again.status_code) == (201, 201)
    assert [row["id"] for row in first.json()] == [row["id"] for row in again.json()]
    assert (Blob.objects.count(), DebugFile.objects.count()) == (1, 1)


def test_a_form_brings_the_same_as_a_raw_body(api):
    body, headers = form(("debug_id", None, UUID), ("file", "C:\\maps\\mapping.txt", PROGUARD))
    (shown,) = api.post(FILES, body, **headers).json()

    assert (shown["debugId"], shown["objectName"]) == (UUID, "mapping.txt")
    assert DebugFile.objects.get().blob.size == len(PROGUARD)


def test_a_packed_body_is_unpacked(api):
    headers = {**BINARY, "content-encoding": "gzip"}
    (shown,) = api.post(f"{FILES}?name=libledger.so", gzip.compress(LEDGER.read_bytes()), **headers).json()
    assert shown["debugId"] == LEDGER_DEBUG_ID


@pytest.mark.parametrize(
    ("body", "headers", "field", "status"),
    [
        (*form(("name", None, "x")), "file", 400),
        (*form(("file", "a", b"1"), ("file", "b", b"2")), "file", 400),
        (b"--x", {"content_type": "multipart/form-data"}, None, 400),
        (b"hello", BINARY, "file", 400),
        (b"", BINARY, "file", 400),
        (b"hello", {**BINARY, "content-encoding": "gzip"}, None, 400),
        (b"hello", {**BINARY, "content-encoding": "compress"}, None, 415),
        (b"hello", {**BINARY, "content-encoding": "br"}, None, 400),
    ],
)
def test_what_is_no_upload_is_refused_and_leaves_nothing(api, body, headers, field, status):
    response = api.post(FILES, body, **headers)

    assert (response.status_code, response.json().get("field")) == (status, field)
    assert set(response.json()) == {"detail", "code", "field"}
    assert not Blob.objects.exists()


def test_an_id_that_is_none_is_refused(api):
    for response in (api.post(f"{FILES}?debug_id=zz", PROGUARD, **BINARY), api.get(f"{FILES}?debug_id=zz")):
        assert (response.status_code, response.json()["field"]) == (400, "debug_id")
    for odd in ("abc", "-1", "9" * 30, "%00"):
        assert api.get(f"{FILES}{odd}/").status_code == 404


def test_a_file_above_the_limit_is_refused(api, monkeypatch):
    monkeypatch.setitem(settings.ENVIRONMENT, "MAX_UPLOAD_BYTES", 50)
    assert api.post(FILES, PROGUARD, **BINARY).status_code == 413
    assert api.post(FILES, gzip.compress(b"a" * 10_000), **BINARY, **{"content-encoding": "gzip"}).status_code == 413
    body, headers = form(("file", "x", b"a" * 51))
    assert api.post(FILES, body, **headers).status_code == 413


def test_a_full_store_is_507(api, monkeypatch):
    def full(*_):
        raise StoreFull

    monkeypatch.setattr(type(blob_store()), "keep_all", full)
    response = api.post(f"{FILES}?name=m.txt", PROGUARD, **BINARY)
    assert (response.status_code, response.json()["code"]) == (507, "storage_full")


def test_pages_follow_each_other(api):
    for number in range(3):
        api.post(f"{FILES}?name={number}.txt", PROGUARD + bytes([65 + number]), **BINARY)

    first = api.get(f"{FILES}?per_page=2")
    assert [row["objectName"] for row in first.json()] == ["2.txt", "1.txt"]
    following = first["Link"].split(", ")[1]
    assert 'results="true"' in following
    second = api.get(following[following.index("/api/0") : following.index(">")])
    assert [row["objectName"] for row in second.json()] == ["0.txt"]


@hypothesis_settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=3000), st.booleans())
def test_what_was_uploaded_is_what_is_downloaded(api, tail, as_form):
    content = PROGUARD + tail
    body, headers = form(("file", "mapping.txt", content)) if as_form else (content, BINARY)
    (shown,) = api.post(f"{FILES}?debug_id={UUID}", body, **headers).json()

    response = api.get(f"{FILES}{shown['id']}/download/")

    assert b"".join(response.streaming_content) == content
    assert response["Content-Length"] == str(len(content))


def test_a_name_that_cannot_be_stored_is_made_storable(api):
    (shown,) = api.post(f"{FILES}?name=a%00b%0d%0a.txt", PROGUARD, **BINARY).json()
    assert shown["objectName"].startswith("a\ufffdb")
    header = api.get(f"{FILES}{shown['id']}/download/")["Content-Disposition"]
    assert "\n" not in header


def test_a_bundle_is_uploaded_shown_and_deleted(api):
    content = bundle_of(APP, release="1.0", debug_id=UUID)
    made = api.post(f"{BUNDLES}?name=app", content, **BINARY)

    shown = made.json()
    assert made.status_code == 201
    assert (shown["bundleId"], shown["release"], shown["dist"], shown["fileCount"]) == (UUID, "1.0", None, 2)
    assert api.get(f"{BUNDLES}?release=1.0").json() == [shown]
    assert api.get(f"{BUNDLES}?release=2.0").json() == []
    assert api.get(f"{BUNDLES}{shown['id']}/").json() == shown
    assert [row["version"] for row in api.get(RELEASES).json()] == ["1.0"]

    assert api.delete(f"{BUNDLES}{shown['id']}/").status_code == 204
    assert not ArtifactBundle.objects.exists()


def test_what_a_request_says_of_a_bundle_goes_before_its_manifest(api):
    body, headers = form(
        ("release", None, "2.0"), ("dist", None, "7"), ("file", "b.zip", bundle_of(APP, release="1.0"))
    )
    shown = api.post(BUNDLES, body, **headers).json()
    assert (shown["release"], shown["dist"], shown["name"]) == ("2.0", "7", "b.zip")


def test_releases_are_made_once_and_finalized_once(api):
    first = api.post(RELEASES, {"version": "app@1.0+2", "projects": ["native-app"], "dateStarted": None})
    again = api.post(RELEASES, {"version": "app@1.0+2"})

    assert (first.status_code, again.status_code) == (201, 208)
    assert first.json() == again.json()
    assert first.json()["projects"][0]["slug"] == "native-app"
    out = api.put(f"{RELEASES}app@1.0%2B2/", {"dateReleased": "2026-01-01T00:00:00Z"}).json()
    assert out["dateReleased"]
    assert api.put(f"{RELEASES}app@1.0%2B2/").json() == out
    assert api.get(f"{RELEASES}app@1.0%2B2/").json() == out
    assert api.get(f"{RELEASES}nothing/").status_code == 404


@pytest.mark.parametrize("version", ["", " ", ".", "..", "latest", "a/b", "a\\b", "a\nb", "v" * 251])
def test_a_version_that_cannot_be_one_is_refused_in_the_shape_that_clients_show(api, version):
    response = api.post(RELEASES, {"version": version})
    assert response.status_code == 400
    assert list(response.json()) == ["error"]


def test_a_release_file_is_uploaded_replaced_listed_and_deleted(api):
    files = f"{RELEASES}1.0/files/"
    parts = [("name", None, "~/app.js"), ("header", None, "Sourcemap: app.js.map"), ("header", None, "X-A:b")]
    body, headers = form(*parts, ("file", "app.js", b"one()"))
    first = api.post(files, body, **headers)
    body, headers = form(*parts, ("file", "app.js", b"two()"))
    second = api.post(files, body, **headers)

    assert (first.status_code, second.status_code) == (201, 201)
    shown = second.json()
    assert shown["headers"] == {"sourcemap": "app.js.map", "x-a": "b"}
    assert (shown["name"], shown["dist"], shown["size"]) == ("~/app.js", None, 5)
    # What was behind the old id stays what it was: nothing.
    assert shown["id"] != first.json()["id"]
    assert api.get(files).json() == [shown]
    assert api.get(f"{files}{shown['id']}/").json() == shown
    assert api.delete(f"{files}{shown['id']}/").status_code == 204
    assert api.get(files).json() == []


def test_files_of_two_dists_are_two_files(api):
    for dist in ("", "1", "2"):
        assert api.post(f"{RELEASES}1.0/files/?name=~/a.js&dist={dist}", b"x", **BINARY).status_code == 201
    assert list(ReleaseFile.objects.order_by("dist").values_list("dist", flat=True)) == ["", "1", "2"]


@pytest.mark.parametrize(
    "asked", ["name=&x=", "name=~/a&header=nocolon", "name=~/a&header=:v", f"name=~/a&dist={'d' * 65}"]
)
def test_a_release_file_without_sense_is_refused(api, asked):
    response = api.post(f"{RELEASES}1.0/files/?{asked}", b"x", **BINARY)
    assert response.status_code == 400
    assert list(response.json()) == ["error"]
    assert not ReleaseFile.objects.exists()


def test_the_answers_hold_no_more_than_the_schema_says(api):
    (shown,) = api.post(f"{FILES}?name=m", PROGUARD, **BINARY).json()
    schema = api.get("/api/0/schema/?format=json")
    fields = json.loads(schema.content)["components"]["schemas"]["DebugFileView"]["properties"]
    assert set(shown) == set(fields)
    assert DEBUG_ID not in json.dumps(shown)


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz", "lzma", "zst"])
def test_a_file_that_is_packed_by_itself_is_unpacked(api, packing):
    pack = {
        "gz": gzip.compress,
        "bz2": bz2.compress,
        "xz": lzma.compress,
        "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
        "zst": zstd.compress,
    }[packing]
    (shown,) = api.post(f"{FILES}?name=libledger.so.{packing}", pack(LEDGER.read_bytes()), **BINARY).json()

    assert (shown["debugId"], shown["objectName"]) == (LEDGER_DEBUG_ID, "libledger.so")
    assert shown["size"] == LEDGER.stat().st_size


def test_packed_data_that_is_broken_or_never_ends_is_refused_and_leaves_nothing(api, monkeypatch, settings, tmp_path):
    # Other tests upload at the same time.
    settings.DATA_DIR = tmp_path
    broken = api.post(f"{FILES}?name=a.so.gz", gzip.compress(LEDGER.read_bytes())[:-20], **BINARY)
    assert broken.status_code == 400

    monkeypatch.setitem(settings.ENVIRONMENT, "MAX_UPLOAD_BYTES", 1 << 20)
    bomb = api.post(f"{FILES}?name=a.so.xz", lzma.compress(bytes(4 << 20)), **BINARY)
    assert bomb.status_code in {400, 413}
    assert not list((Path(settings.DATA_DIR) / "blobs" / "incoming").glob("*"))
    assert not DebugFile.objects.exists()
