"""Debug files in ZIP archives, as clients of version 2 send mappings."""

from __future__ import annotations

import io
import zipfile

import pytest

from debugfiles.models import DebugFile
from debugfiles.protocol import packed
from tests.cast import Api, make_token
from tests.debugfiles.protocol.sending import PACKED, send_parts
from tests.debugfiles.uploading import LEDGER, LEDGER_DEBUG_ID, PROGUARD

pytestmark = pytest.mark.django_db

UUID = "12345678-1234-4234-8234-123456789abc"


@pytest.fixture
def api(acme, acme_project):
    return Api(make_token(acme))


def zipped(files, method=zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def send(api, content, name="archive.zip"):
    return send_parts(api, [("file", name, content)], PACKED)


def test_a_mapping_in_an_archive_has_the_uuid_of_its_name(api):
    answer = send(api, zipped({f"proguard/{UUID}.txt": PROGUARD}))
    assert answer.status_code == 201
    (dif,) = answer.json()
    assert (dif["debugId"], dif["symbolType"]) == (UUID, "proguard")


def test_what_is_no_debug_file_is_left_out(api):
    files = {"Info.plist": b"x", "a/libledger.so": LEDGER.read_bytes(), "README": b"hello"}
    (dif,) = send(api, zipped(files)).json()
    assert (dif["debugId"], dif["objectName"]) == (LEDGER_DEBUG_ID, "libledger.so")


def test_a_file_that_is_no_archive_is_taken_itself(api):
    (dif,) = send(api, PROGUARD, f"/proguard/{UUID}.txt").json()
    assert dif["debugId"] == UUID


def test_an_archive_of_nothing_useful_is_refused(api):
    for content in (zipped({"README": b"hello"}), zipped({}), zipped({"x": PROGUARD})[:-30], b"PK\3\4"):
        answer = send(api, content)
        assert (answer.status_code, set(answer.json())) == (400, {"error"})
    assert not DebugFile.objects.exists()


def test_bombs_are_refused_by_their_directory(api, monkeypatch):
    assert "tightly" in send(api, zipped({"bomb": bytes(50 << 20)})).json()["error"]
    monkeypatch.setattr(packed, "MAX_MEMBERS", 3)
    assert "members" in send(api, zipped({str(number): b"" for number in range(4)})).json()["error"]
    monkeypatch.setattr(packed, "max_upload_bytes", lambda: 10)
    assert "more than" in send(api, zipped({"a": bytes(6), "b": bytes(6)})).json()["error"]


def test_names_lead_nowhere(api, acme_project):
    (dif,) = send(api, zipped({"../../../../tmp/evil/proguard.txt": PROGUARD})).json()
    assert dif["objectName"] == "proguard.txt"
