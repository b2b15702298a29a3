"""Debian's debuginfod, serving a folder, as a source."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from engine.errors import FailureKind
from engine.lookup import ModuleStatus, Store
from engine.modules import ModuleType, Wanted
from engine.outgoing import pieces
from tests.engine.lookup.conftest import LEDGER, LEDGER_FILE, look
from tests.engine.sourcetypes import fenced
from tests.engine.sourcetypes.asking import failure_of, fetch, opened

PORT = 8002
START_SECONDS = 30.0


def _fence():
    """The command that puts another into a network of its own; skips where the host does not allow it."""
    for command in (["unshare", "-n"], ["unshare", "-rn"]):
        if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
            return command
    pytest.skip("needs a host that allows network namespaces: debuginfod listens on every interface")


def _connect(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    return sock


@pytest.fixture(scope="module")
def debuginfod():
    """The address of a debuginfod that serves the folder with the ledger."""
    if shutil.which("debuginfod") is None:
        pytest.skip("needs debuginfod: apt-get install debuginfod")
    fence = _fence()
    with tempfile.TemporaryDirectory() as place:
        path = f"{place}/socket"
        shutil.copytree(LEDGER_FILE.parent, f"{place}/files")
        command = ["debuginfod", "-F", "-p", str(PORT), "-d", f"{place}/index.sqlite", f"{place}/files"]
        process = subprocess.Popen(
            [*fence, sys.executable, fenced.__file__, path, str(PORT), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=fenced.forward, args=(listener, lambda: _connect(path)), daemon=True).start()
        try:
            yield _ready(f"http://127.0.0.1:{listener.getsockname()[1]}/buildid", Path(path), process)
        finally:
            listener.close()
            process.communicate(timeout=20)


def _ready(url, path, process):
    source = opened(type="http", url=url, layout={"type": "debuginfod"}, id="sentry:waiting")
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if path.exists():
            try:
                fetch(source, LEDGER, seconds=5)
                return url
            except Exception:  # noqa: BLE001 - whatever it answers while it starts and scans
                pass
        time.sleep(0.2)
    pytest.fail("debuginfod did not begin to serve its folder")


def debuginfod_source(url):
    return opened(type="http", url=url, layout={"type": "debuginfod"})


def test_an_executable_is_fetched_by_its_build_id(debuginfod):
    assert fetch(debuginfod_source(debuginfod), LEDGER) == LEDGER_FILE.read_bytes()


def test_it_comes_whole_when_it_is_asked_for_in_pieces(debuginfod, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 4096)

    assert fetch(debuginfod_source(debuginfod), LEDGER) == LEDGER_FILE.read_bytes()


def test_an_unknown_build_id_is_not_found(debuginfod):
    unknown = Wanted(ModuleType.ELF, "ab" * 20)

    assert failure_of(debuginfod_source(debuginfod), wanted=unknown) == (FailureKind.NOT_FOUND, "")


def test_a_module_is_found_there(debuginfod, tmp_path):
    store = Store(tmp_path / "cache")
    try:
        answer = look(store, [debuginfod_source(debuginfod)])
    finally:
        if store.converter._own is not None:
            store.converter._own.kill()
            store.converter._own.wait()

    assert answer.status is ModuleStatus.FOUND
    locations = {row.location for row in answer.candidates if row.download.status.value == "ok"}
    assert f"{debuginfod}/{LEDGER.code_id}/executable" in locations
