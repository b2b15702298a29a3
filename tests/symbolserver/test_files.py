"""Files as they go out: whole, in parts, unchanged since; each object of a fat file for itself."""

from __future__ import annotations

import gzip
import os
import re
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import pytest
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core.blobs import blob_store
from debugfiles.models import DebugFile
from engine.modules import DebugId
from engine.sourcetypes.base import FileType
from symbolserver.models import Serving
from symbolserver.ranges import Unsatisfiable, asked_span
from tests.cast import Api, make_token
from tests.debugfiles.uploading import LEDGER, LEDGER_CODE_ID, upload
from tests.engine.formats import builders
from tests.engine.shared_fixtures import shared
from tests.symbolserver.asking import ask, content_of, row_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("blobs")]

PATH = f"buildid/{LEDGER_CODE_ID}/debuginfo"
X86_64, ARM64 = 0x01000007, 0x0100000C
SYMBOLIC = "fixtures/peers/symbolic"


@pytest.fixture
def ledger(acme_project, blobs):
    upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    return LEDGER.read_bytes()


def test_a_file_comes_with_all_that_a_client_may_want_to_know(ledger, token):
    answer = ask(PATH, token)
    assert content_of(answer) == ledger
    assert answer["Content-Length"] == answer["X-Debuginfod-Size"] == str(len(ledger))
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Accept-Ranges"] == "bytes"
    assert re.fullmatch('"[0-9a-f]{64}-0"', answer["ETag"])
    assert timezone.now() - parsedate_to_datetime(answer["Last-Modified"]) < timedelta(minutes=1)


def test_head_tells_the_same_without_the_file(ledger, token):
    whole, head = ask(PATH, token), ask(PATH, token, method="HEAD", range="bytes=0-9")
    assert (head.status_code, head.content) == (200, b"")
    same = ("Content-Length", "ETag", "Last-Modified", "Accept-Ranges", "Content-Type")
    assert [head[name] for name in same] == [whole[name] for name in same]
    assert ask("buildid/aaaaaaaa/debuginfo", token, method="HEAD").status_code == 404


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=100-", 100, None),
        ("bytes=-7", -7, None),
        ("Bytes = 5 - 6", 5, 7),
        ("bytes=0-99999999999", 0, None),
        ("bytes=-99999999999", 0, None),
    ],
)
def test_a_part_of_a_file(header, start, end, ledger, token):
    answer = ask(PATH, token, range=header)
    part = ledger[start:end]
    first = len(ledger) + start if start < 0 else start
    assert answer.status_code == 206
    assert content_of(answer) == part
    assert answer["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(ledger)}"
    assert answer["Content-Length"] == str(len(part))


@pytest.mark.parametrize(
    "header", ["bytes=5-4", "bytes=a-b", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "", "bytes", "bytes=1-2-3"]
)
def test_what_is_no_single_range_gives_the_whole_file(header, ledger, token):
    answer = ask(PATH, token, range=header)
    assert (answer.status_code, content_of(answer)) == (200, ledger)


@pytest.mark.parametrize("header", ["bytes={size}-", "bytes=99999999999-", "bytes=-0"])
def test_a_range_beyond_the_end(header, ledger, token):
    answer = ask(PATH, token, range=header.format(size=len(ledger)))
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer["Content-Range"] == f"bytes */{len(ledger)}"


@given(st.text(st.sampled_from("bytes=0123456789-, "), max_size=30), st.integers(0, 100))
def test_any_range_is_a_part_of_the_file_or_all_of_it_or_beyond_the_end(header, total):
    for text in (header, f"bytes={header}"):
        request = RequestFactory().get("/", headers={"range": text})
        try:
            span = asked_span(request, total, '"etag"', timezone.now())
        except Unsatisfiable:
            continue
        assert span is None or (span.size > 0 and 0 <= span.start <= span.start + span.size <= total)


def test_a_range_is_bound_to_the_state_of_the_file(ledger, token):
    whole = ask(PATH, token)
    for valid in (whole["ETag"], whole["Last-Modified"]):
        assert ask(PATH, token, range="bytes=0-9", if_range=valid).status_code == 206
    for stale in ('"other"', "Sat, 01 Jan 2000 00:00:00 GMT", "nonsense", f"W/{whole['ETag']}"):
        answer = ask(PATH, token, range="bytes=0-9", if_range=stale)
        assert (answer.status_code, content_of(answer)) == (200, ledger)


def test_what_has_not_changed_is_not_sent_again(ledger, token):
    whole = ask(PATH, token)
    unchanged = ask(PATH, token, if_none_match=whole["ETag"])
    assert (unchanged.status_code, unchanged.content, unchanged["ETag"]) == (304, b"", whole["ETag"])
    assert ask(PATH, token, if_modified_since=whole["Last-Modified"]).status_code == HTTPStatus.NOT_MODIFIED
    assert ask(PATH, token, if_none_match='"other"').status_code == 200
    assert ask(PATH, token, if_match='"other"').status_code == HTTPStatus.PRECONDITION_FAILED


def test_parts_of_a_file_beyond_4_gib(acme_project, token):
    """The file is sparse: 5 GiB that take no room."""
    size = 5 << 30
    row = row_of(acme_project, [FileType.ELF_DEBUG], code_id="abcdef01", size=size)
    path = blob_store()._path(row.blob.key)
    path.parent.mkdir(parents=True)
    with open(path, "wb") as file:
        file.truncate(size)
        file.seek(size - 4)
        file.write(b"last")

    asked = "buildid/abcdef01/debuginfo"
    assert ask(asked, token, method="HEAD")["Content-Length"] == str(size)
    assert content_of(ask(asked, token, range="bytes=-4")) == b"last"
    answer = ask(asked, token, range=f"bytes={size - 4}-{size - 1}")
    assert (answer["Content-Range"], content_of(answer)) == (f"bytes {size - 4}-{size - 1}/{size}", b"last")
    pieces = iter(ask(asked, token).streaming_content)
    assert len(next(pieces)) <= 1 << 20


def test_an_object_of_a_fat_file_comes_alone(acme_project, token):
    names = ("minidump/crash_macos.dSYM/Contents/Resources/DWARF/crash_macos", "macos/crash")
    objects = [shared(f"{SYMBOLIC}/{name}").read_bytes() for name in names]
    rows = upload(acme_project, builders.fat([(X86_64, 3, objects[0]), (ARM64, 0, objects[1])]), "fat")
    assert len(rows) == 2

    etags = set()
    for row, content in zip(rows, objects, strict=True):
        digits = row.debug_uuid.hex.upper()
        dwarf = "/".join([*(digits[at : at + 4] for at in range(0, 20, 4)), digits[20:]])
        code = f"{row.object_name}/mach-uuid-{row.debug_uuid.hex}/{row.object_name}"
        path = dwarf if "mach_debug" in row.file_types else code
        answer = ask(path, token)
        assert answer["Content-Length"] == str(len(content))
        assert content_of(answer) == content
        assert content_of(ask(path, token, range="bytes=-16")) == content[-16:]
        etags.add(answer["ETag"])
    assert len(etags) == 2


def test_a_file_that_was_sent_packed_comes_back_plain(acme, acme_project, token):
    sent = Api(make_token(acme)).post(
        "/api/0/projects/acme/native-app/debug-files/?name=libledger.so",
        gzip.compress(LEDGER.read_bytes()),
        content_type="application/octet-stream",
        **{"content-encoding": "gzip"},
    )
    assert sent.status_code == 201
    assert content_of(ask(PATH, token)) == LEDGER.read_bytes()


def test_a_new_upload_is_served_at_once_and_a_deleted_one_no_more(acme_project, token):
    assert ask(PATH, token).status_code == 404
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    assert ask(PATH, token).status_code == 200
    row.delete()
    assert ask(PATH, token).status_code == 404


def test_a_content_that_is_gone_is_no_absence(ledger, token):
    row = DebugFile.objects.select_related("blob").get()
    os.unlink(blob_store().local_path(row.blob.key))
    answer = ask(PATH, token)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_serving_a_file_counts_as_its_use_once_an_hour(ledger, token, django_assert_num_queries):
    DebugFile.objects.update(last_used=timezone.now() - timedelta(days=30))
    ask(PATH, token, method="HEAD")
    assert timezone.now() - DebugFile.objects.get().last_used > timedelta(days=29)
    content_of(ask(PATH, token))
    assert timezone.now() - DebugFile.objects.get().last_used < timedelta(minutes=1)
    with django_assert_num_queries(2):
        ask(PATH, token)


def test_the_file_split_off_for_debugging_is_preferred_for_that(acme_project, token):
    whole = row_of(acme_project, [FileType.ELF_CODE, FileType.ELF_DEBUG], code_id="abcdef01", size=10)
    split = row_of(acme_project, [FileType.ELF_DEBUG], code_id="abcdef01", size=20)
    row_of(acme_project, [FileType.ELF_CODE, FileType.ELF_DEBUG], code_id="abcdef02", size=30)
    sizes = {kind: ask(f"buildid/abcdef01/{kind}", token, method="HEAD") for kind in ("debuginfo", "executable")}
    assert sizes["debuginfo"]["Content-Length"] == str(split.object_size)
    assert sizes["executable"]["Content-Length"] == str(whole.object_size)


def test_the_age_that_was_asked_for_is_preferred_and_an_older_one_is_not_served(acme_project, token):
    uuid = "3249d99d-0c40-4931-8610-f4e4fb0b6936"
    for age in (2, 10, 3):
        row_of(acme_project, [FileType.PDB], debug_id=DebugId.parse(f"{uuid}-{age:x}"), size=age)

    def size_of(age):
        answer = ask(f"a.pdb/{uuid.replace('-', '').upper()}{age}/a.pdb", token, method="HEAD")
        return answer["Content-Length"] if answer.status_code == 200 else None

    assert [size_of(age) for age in ("1", "2", "3", "4", "a", "A", "b")] == ["2", "2", "3", "10", "10", "10", None]


def test_of_programs_with_one_time_stamp_the_one_of_that_name_is_served(acme_project, token):
    for size, name in ((10, "setup.exe"), (20, "Crash.exe"), (30, "other.exe")):
        row_of(acme_project, [FileType.PE], code_id="5ab380779000", name=name, size=size)

    def size_of(name):
        return ask(f"{name}/5AB380779000/{name}", token, method="HEAD")["Content-Length"]

    assert [size_of(name) for name in ("crash.exe", "SETUP.EXE", "renamed.exe")] == ["20", "10", "30"]


def test_the_marker_of_the_two_tier_layout_is_there(token, acme_project):
    assert ask("index2.txt", token).status_code == 200
    assert ask("index2.txt").status_code == 401
    Serving.objects.create(project=acme_project, public=True)
    assert ask("index2.txt").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_no_database_connection_is_held_while_a_file_is_sent(acme_project, token):
    upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    answer = ask(PATH, token)
    assert connection.connection is None
    assert content_of(answer) == LEDGER.read_bytes()
    assert connection.connection is None
