"""Programs that upload minidumps: Crashpad's handler as Chromium ships it, and curl as documented."""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest

from tests.clients.reports import Inbox
from tests.engine.shared_fixtures import shared
from tests.needed import lacking, program
from tests.service import Service, eventually

HANDLER = Path("/usr/lib/chromium/chrome_crashpad_handler")
DUMP = "fixtures/captures/crash/segv-worker-fp/segv-worker-fp.dmp"


@pytest.fixture
def inbox(service: Service) -> Inbox:
    return Inbox.opened(service)


@pytest.fixture
def dump() -> Path:
    return shared(DUMP)


def crashpad_database(directory: Path, dump: Path) -> Path:
    """Crashpad's database with one report that waits for its upload, and a file that belongs to it."""
    report = str(uuid4())
    for name in ("new", "pending", "completed", f"attachments/{report}"):
        (directory / name).mkdir(parents=True)
    # Uploads are allowed, none was tried yet; the last field names this client.
    (directory / "settings.dat").write_bytes(struct.pack("<4sIIIq", b"sdPC", 1, 1, 0, 0) + uuid4().bytes)
    shutil.copy(dump, directory / "pending" / f"{report}.dmp")
    meta = struct.pack("<iiqqB7x", 1, 0, 0, int(time.time()), 0)
    (directory / "pending" / f"{report}.meta").write_bytes(meta)
    (directory / "attachments" / report / "session.log").write_text("what happened before\n")
    return directory


@pytest.mark.parametrize("options", [(), ("--no-upload-gzip",)], ids=["gzip", "plain"])
def test_crashpad_uploads_what_it_kept(inbox, dump, tmp_path, options):
    if not HANDLER.exists():
        lacking("needs Chromium's chrome_crashpad_handler")
    database = crashpad_database(tmp_path / "crashpad", dump)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    handler = subprocess.Popen(
        [
            *(str(HANDLER), f"--database={database}", f"--url={inbox.plain('minidump')}", "--no-rate-limit"),
            *("--annotation=prod=shop", "--annotation=ver=7.1", f"--initial-client-fd={theirs.fileno()}", *options),
        ],
        pass_fds=[theirs.fileno()],
        stderr=subprocess.DEVNULL,
    )
    try:
        theirs.close()
        # The answer's text becomes the id of what is completed.
        eventually(lambda: list((database / "completed").glob("*.meta")), 60)
        (kept,) = inbox.kept()
    finally:
        ours.close()
        handler.kill()
        handler.wait()

    assert not list((database / "pending").iterdir())
    assert kept.row["rxid"].encode() in next((database / "completed").glob("*.meta")).read_bytes()
    assert kept.main == dump.read_bytes()
    assert kept.files == {"session.log": b"what happened before\n"}
    assert kept.result.reason == "SIGSEGV / SEGV_MAPERR / 0x10"
    assert kept.crashed.frames[0].trust == "context"
    assert kept.group["count"] == 1


def curl(*arguments: object) -> dict:
    done = subprocess.run(
        [program("curl"), "-sS", "--max-time", "60", *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_curl_sends_a_dump_as_the_documentation_says(inbox, dump, tmp_path):
    """As the body and as a form; with attributes in the query and in fields."""
    (tmp_path / "notes.txt").write_text("seen on Monday")
    url = inbox.plain("minidump")
    answers = [
        curl("--data-binary", f"@{dump}", f"{url}?application.version=1.0"),
        curl("-F", f"upload_file=@{dump}", "-F", "application.version=2.0", url),
        curl(
            *("-F", f"upload_file_minidump=@{dump}", "-F", f"attachment_notes=@{tmp_path / 'notes.txt'}"),
            *("-F", "ver=3.0", f"{inbox.tenant.url}/post?format=minidump&token={inbox.token}"),
        ),
    ]

    kept = inbox.kept(3)
    assert [(one["response"], one["_rxid"]) for one in answers] == [("ok", one.row["rxid"]) for one in kept]
    assert [one.main for one in kept] == [dump.read_bytes()] * 3
    assert [one.attributes.get("application.version") for one in kept] == ["1.0", "2.0", None]
    assert kept[2].files == {"notes": b"seen on Monday"}
    assert len({one.row["fingerprint"] for one in kept}) == 1
    assert kept[0].group["count"] == 3
