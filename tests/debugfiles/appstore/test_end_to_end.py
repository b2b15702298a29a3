"""From a stored key to a frame with a name, and the key nowhere on the way."""

from __future__ import annotations

import logging
import traceback

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from core import background
from debugfiles.appstore import importing as runs
from debugfiles.appstore.models import AppStoreImport
from debugfiles.appstore.tasks import IMPORTS
from debugfiles.models import DebugFile
from engine.outgoing import Trust
from sources.types.app_store_connect.access import load_key, read_access
from sources.types.app_store_connect.client import AppStore
from sources.types.app_store_connect.problems import AppStoreFailure
from tests.debugfiles.appstore.apple import PEM, packed, source
from tests.debugfiles.appstore.conftest import P, archive
from tests.engine.shared_fixtures import shared
from tests.sources.test_canary import every_column
from tests.symbolication.conftest import environment  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)

CRASH = "fixtures/peers/symbolic/macos/crash.dSYM"
DEBUG_ID = "67e9247c-814e-392b-a027-dbde6748fcbf"


@pytest.fixture(autouse=True)
def _no_jobs():
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


def frame_of(api):
    module = {
        "type": "macho",
        "debug_id": DEBUG_ID,
        "code_file": "/Applications/crash",
        "debug_file": "crash",
        "image_addr": "0x100000000",
        "image_size": 0x4000,
    }
    body = {"stacktraces": [{"frames": [{"instruction_addr": "0x100000d77"}]}], "modules": [module]}
    response = api.post(f"{P}symbolicate/", body)
    assert response.status_code == 200, response.content
    return response.json()["stacktraces"][0]["frames"][0]


def test_a_frame_of_the_project_gets_its_name_from_an_imported_dsym(environment, apple, api):  # noqa: F811
    bundle = shared(CRASH)
    names = ("Info.plist", "Resources/DWARF/crash", "Resources/DWARF/invalid")
    files = {f"crash.dSYM/Contents/{name}": (bundle / "Contents" / name).read_bytes() for name in names}
    apple.add("1.0", packed(files))
    environment(APP_STORE_CONNECT_URL=apple.url)
    assert frame_of(api)["status"] == "missing"

    assert api.post(f"{P}symbol-sources/", source()).status_code == 201
    background.run_waiting([IMPORTS])

    (row,) = DebugFile.objects.all()
    assert (row.debug_id, row.object_name, row.kind) == (DEBUG_ID, "crash", "dbg")
    frame = frame_of(api)
    assert (frame["status"], frame["function"]) == ("symbolicated", "google_breakpad::MinidumpFileWriter::Close()")
    assert frame["filename"] == "minidump_file_writer.cc"
    assert frame["lineno"] > 0


def key_forms():
    body = "".join(PEM.splitlines()[1:-1])
    number = load_key(PEM).private_numbers().private_value
    return [PEM, body, body[20:60], PEM.splitlines()[1], str(number), f"{number:x}"]


def test_the_private_key_and_signed_tokens_appear_nowhere(apple, api, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    apple.add("1.0", archive(1), None)
    answers = [api.post(f"{P}symbol-sources/", source())]
    seen = [str(list(ProcrastinateJob.objects.values_list("args", flat=True)))]
    background.run_waiting([IMPORTS])
    answers += [api.get(f"{P}app-store-connect/"), api.post(f"{P}app-store-connect/our-app/import/")]
    answers += [api.post(f"{P}symbol-sources/test/", source()), api.post(f"{P}symbol-sources/test/?id=our-app", {})]
    apple.public_key = load_key(PEM.replace("\n", "\\n")).public_key()
    monkeypatch.setattr(runs.builds, "record_page", lambda *_: 1 / 0)
    runs.run_import(AppStoreImport.objects.get().pk)
    broken = PEM[:60] + "*" + PEM[61:]
    answers += [api.post(f"{P}symbol-sources/test/", source(appconnectPrivateKey=broken))]
    try:
        load_key(broken)
    except AppStoreFailure as error:
        seen.append("".join(traceback.format_exception(error)))
    access = read_access(source(), {})
    store = AppStore(access, apple.url, Trust.NONE)
    seen += [repr(access), repr(store), repr(AppStoreImport.objects.get()), every_column(), caplog.text]
    seen += [answer.content.decode() for answer in answers]
    assert [answer.status_code for answer in answers] == [201, 200, 202, 200, 200, 200]
    told = "\n".join(seen)
    tokens = [asked.headers["authorization"].removeprefix("Bearer ") for asked in apple.api.asked]
    for secret in [*key_forms(), *tokens, broken.splitlines()[1], "canary-signature"]:
        assert secret not in told
