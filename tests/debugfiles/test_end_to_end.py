"""Uploads by curl to a running service, as the documentation says, and what is served afterwards."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest

from tests.debugfiles.uploading import LEDGER, LEDGER_DEBUG_ID
from tests.service import Service, eventually
from tests.symbolication.http import call, new_tenant


@pytest.fixture
def project(service: Service):
    return new_tenant(service)


def files_url(project) -> str:
    return project.sources_url.replace("symbol-sources", "debug-files").partition("?")[0]


def curl(project, *arguments: str, **options) -> bytes:
    command = ["curl", "-sS", "--fail-with-body", "-H", f"Authorization: Bearer {project.token}", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, **options)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


@pytest.mark.parametrize("way", ["whole", "chunked", "form"])
def test_a_file_sent_by_curl_comes_back_as_it_was(project, way):
    url = files_url(project)
    if way == "whole":
        binary = ("-H", "Content-Type: application/octet-stream", "--data-binary", f"@{LEDGER}")
        sent = curl(project, *binary, f"{url}?name=libledger.so")
    elif way == "chunked":
        sent = curl(project, "-T", "-", "-X", "POST", f"{url}?name=libledger.so", input=LEDGER.read_bytes())
    else:
        sent = curl(project, "-F", f"file=@{LEDGER}", url)

    (shown,) = json.loads(sent)
    assert (shown["debugId"], shown["objectName"]) == (LEDGER_DEBUG_ID, "libledger.so")
    assert curl(project, f"{url}{shown['id']}/download/") == LEDGER.read_bytes()
    curl(project, "-X", "DELETE", f"{url}{shown['id']}/")
    assert json.loads(curl(project, url)) == []


def test_an_upload_that_breaks_off_leaves_nothing(service: Service, project):
    url = files_url(project)
    head = (
        f"POST {url.removeprefix(service.url)}?name=libledger.so HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {project.token}\r\nContent-Length: {LEDGER.stat().st_size}\r\n\r\n"
    )
    with socket.create_connection(service.address) as connection:
        connection.sendall(head.encode() + LEDGER.read_bytes()[:5000])

    spool = Path(service.data_dir) / "blobs" / "incoming"
    eventually(lambda: not list(spool.glob("*")))
    assert json.loads(call(url, token=project.token).body) == []
