"""`files/dsyms/`: lists that strict decoders take, and the files themselves."""

from __future__ import annotations

import pytest

from core.blobs import blob_store
from debugfiles.models import Blob, DebugFile
from engine.sourcetypes.sentry.listing import FILE_TYPES, parse_listing
from tests.cast import Api, make_token
from tests.debugfiles.uploading import LEDGER, LEDGER_CODE_ID, LEDGER_DEBUG_ID, PROGUARD, upload

pytestmark = pytest.mark.django_db

DSYMS = "/api/0/projects/acme/native-app/files/dsyms/"
UUID = "12345678-1234-4234-8234-123456789abc"


@pytest.fixture
def api(acme, acme_project):
    return Api(make_token(acme))


def listed(api, query):
    answer = api.get(f"{DSYMS}?{query}")
    assert answer.status_code == 200, answer.content
    decoded = parse_listing(answer.content)
    assert [item.id for item in decoded] == [item["id"] for item in answer.json()]
    return [int(item.id) for item in decoded]


def body_of(answer):
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_a_file_is_listed_with_everything_that_clients_read(api, acme_project):
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")

    (item,) = api.get(f"{DSYMS}?debug_id={LEDGER_DEBUG_ID}").json()

    assert item["id"] == str(row.pk)
    assert (item["uuid"], item["debugId"], item["codeId"]) == (LEDGER_DEBUG_ID, LEDGER_DEBUG_ID, LEDGER_CODE_ID)
    assert (item["symbolType"], item["cpuName"], item["objectName"]) == ("elf", "x86_64", "libledger.so")
    assert item["headers"] == {"Content-Type": "application/x-elf-binary"}
    assert (item["size"], item["sha1"]) == (LEDGER.stat().st_size, row.checksum)
    assert "debug" in item["data"]["features"]


def test_the_code_id_counts_only_where_nothing_has_the_debug_id(api, acme_project):
    (by_code,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    (by_debug,) = upload(acme_project, PROGUARD, "mapping.txt", UUID)

    assert listed(api, f"debug_id={UUID}&code_id={LEDGER_CODE_ID}") == [by_debug.pk]
    assert listed(api, f"debug_id={UUID[:-1]}d&code_id={LEDGER_CODE_ID}") == [by_code.pk]
    assert listed(api, f"code_id={LEDGER_CODE_ID.upper()}") == [by_code.pk]
    assert listed(api, f"debug_id=nonsense&code_id={LEDGER_CODE_ID}") == [by_code.pk]
    assert listed(api, "debug_id=nonsense&code_id=%00") == []


@pytest.mark.parametrize("asked", [f"{UUID}-3", f"{UUID}-5", f"{UUID.replace('-', '')}5", UUID])
def test_a_later_age_serves_an_earlier_crash(api, acme_project, asked):
    (row,) = upload(acme_project, PROGUARD, "mapping.txt", f"{UUID}-5")
    assert listed(api, f"debug_id={asked}") == [row.pk]
    assert listed(api, f"debug_id={UUID}-6") == []


def test_every_symbol_type_is_one_that_decoders_know(api, acme_project):
    (row,) = upload(acme_project, PROGUARD, "mapping.txt", UUID)
    for symbol_type in FILE_TYPES:
        DebugFile.objects.filter(pk=row.pk).update(symbol_type=symbol_type)
        (item,) = parse_listing(api.get(f"{DSYMS}?debug_id={UUID}").content)
        assert item.file_types == FILE_TYPES[symbol_type]


def test_a_list_by_ids_is_short_and_leaves_out_no_kind(api, acme_project):
    (oldest,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    DebugFile.objects.filter(pk=oldest.pk).update(debug_uuid=UUID)
    mappings = [upload(acme_project, PROGUARD + b"#" * n, "mapping.txt", UUID)[0].pk for n in range(25)]

    found = listed(api, f"debug_id={UUID}")

    assert len(found) == 19
    assert oldest.pk in found
    assert [pk for pk in found if pk != oldest.pk] == sorted(mappings, reverse=True)[:18]


def test_formats_names_and_pages(api, acme_project):
    (elf,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    (mapping,) = upload(acme_project, PROGUARD, "mapping.txt", UUID)

    assert listed(api, "") == [mapping.pk, elf.pk]
    assert listed(api, "file_formats=elf&file_formats=pdb") == [elf.pk]
    assert listed(api, f"debug_id={UUID}&file_formats=elf") == []
    assert listed(api, "query=LEDGER") == [elf.pk]
    assert listed(api, f"query={LEDGER_CODE_ID}") == [elf.pk]
    first = api.get(f"{DSYMS}?per_page=1")
    assert [item["id"] for item in first.json()] == [str(mapping.pk)]
    assert f'rel="next"; results="true"; cursor="{mapping.pk}:0:0"' in first.headers["Link"]
    assert listed(api, f"per_page=1&cursor={mapping.pk}:0:0") == [elf.pk]
    assert api.get(f"{DSYMS}?cursor=x").json() == {"error": "cursor: is malformed"}


def test_a_file_goes_out_whole_and_its_use_is_noted(api, acme_project):
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    DebugFile.objects.filter(pk=row.pk).update(last_used="2026-01-01T00:00:00Z")

    answer = api.get(f"{DSYMS}?_last_upload=1&id={row.pk}")

    assert body_of(answer) == LEDGER.read_bytes()
    assert answer.headers["Content-Length"] == str(LEDGER.stat().st_size)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert DebugFile.objects.get().last_used.year > 2025 or DebugFile.objects.get().last_used.month > 1


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-3", 206, (0, 4)),
        ("bytes=4-", 206, (4, None)),
        ("bytes=-4", 206, (-4, None)),
        ("bytes=0-999999999", 206, (0, None)),
        ("bytes=5-4", 200, (0, None)),
        ("bytes=0-1,4-5", 200, (0, None)),
        ("bytes=-", 200, (0, None)),
        ("lines=0-3", 200, (0, None)),
        ("bytes=999999999-", 416, None),
        ("bytes=-0", 416, None),
    ],
)
def test_a_range_of_a_file(api, acme_project, asked, status, part):
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    size = LEDGER.stat().st_size
    for path in (f"{DSYMS}?id={row.pk}", f"{DSYMS.replace('files/dsyms', 'debug-files')}{row.pk}/download/"):
        answer = api.get(path, range=asked)

        assert answer.status_code == status
        expected = b"" if part is None else LEDGER.read_bytes()[part[0] : part[1]]
        assert body_of(answer) == expected
        if status == 416:
            assert answer.headers["Content-Range"] == f"bytes */{size}"
        elif status == 206:
            first = part[0] % size
            assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(expected) - 1}/{size}"
            assert answer.headers["Content-Length"] == str(len(expected))
        assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_range_of_what_is_not_the_same_any_more_is_the_whole_file(api, acme_project):
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    etag = api.get(f"{DSYMS}?id={row.pk}").headers["ETag"]

    for sent, status in ((etag, 206), ('"another"', 200)):
        headers = {"range": "bytes=0-3", "if-range": sent}
        assert api.request("GET", f"{DSYMS}?id={row.pk}", **headers).status_code == status


def test_what_lies_behind_four_gigabytes_is_reached(api, acme_project):
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    size = (5 << 30) + 7
    with blob_store().local_path(row.blob.key).open("r+b") as file:
        file.truncate(size)
        file.seek(size - 4)
        file.write(b"tail")
    Blob.objects.update(size=size)
    DebugFile.objects.update(object_size=size)

    (item,) = api.get(f"{DSYMS}?debug_id={LEDGER_DEBUG_ID}").json()
    answer = api.get(f"{DSYMS}?id={item['id']}", range="bytes=-4")

    assert (item["size"], body_of(answer)) == (size, b"tail")
    assert answer.headers["Content-Range"] == f"bytes {size - 4}-{size - 1}/{size}"
    assert api.request("HEAD", f"{DSYMS}?id={item['id']}").headers["Content-Length"] == str(size)
    blob_store().delete(row.blob.key)


def test_head_tells_the_size_and_sends_nothing(api, acme_project):
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    answer = api.request("HEAD", f"{DSYMS}?id={row.pk}")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(LEDGER.stat().st_size)


@pytest.mark.parametrize("file_id", ["0", "-1", "x", "9" * 30, "%00", "1e3"])
def test_an_id_of_nothing_is_not_found(api, file_id):
    for method in ("GET", "DELETE"):
        answer = api.request(method, f"{DSYMS}?id={file_id}")
        assert (answer.status_code, list(answer.json())) == (404, ["detail"])
    assert api.delete(DSYMS).status_code == 404


def test_refusals_have_one_key(acme, acme_project):
    (row,) = upload(acme_project, PROGUARD, "mapping.txt")
    ci = Api(make_token(acme, scopes=["org:ci"]))

    assert len(ci.get(DSYMS).json()) == 1
    refused = ci.get(f"{DSYMS}?id={row.pk}")
    assert (refused.status_code, list(refused.json())) == (403, ["detail"])
    assert Api().get(DSYMS).status_code == 401
