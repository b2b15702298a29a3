"""A disk that is full: submissions are refused for the time being, and what was accepted is not harmed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from crashes.models import Crash
from crashes.processing.claims import claim
from crashes.processing.working import process
from projects.models import Project
from tests.cast import make_token
from tests.faults.crash_load import dump

pytestmark = pytest.mark.django_db


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 256 KiB, where reports are stored."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], check=False).returncode:
        pytest.skip("no disk can be mounted here")
    monkeypatch.setitem(settings.ENVIRONMENT, "BLOB_STORE", str(place / "blobs"))
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def send(project: Project) -> HttpResponse:
    token = make_token(project.organization, project, ["error:post"])
    address = f"/{project.organization.slug}/{token}/minidump"
    client = Client(raise_request_exception=False)
    return client.generic("POST", address, dump(), "application/octet-stream")


def files(place: Path) -> list[Path]:
    return [path for path in (place / "blobs").rglob("*") if path.is_file()]


def processed() -> str:
    claimed = claim()
    assert claimed is not None
    process(claimed)
    return Crash.objects.get(pk=claimed.crash_id).state


def test_a_full_disk_answers_503_until_there_is_room_again(acme_project: Project, disk: Path) -> None:
    assert send(acme_project).status_code == 200
    stored = files(disk)
    filler = disk / "filler"
    filler.write_bytes(bytes(160 * 1024))

    refused = send(acme_project)

    assert refused.status_code == 503
    assert refused.json()["error"]["code"]
    assert files(disk) == stored
    assert Crash.objects.count() == 1
    assert processed() == Crash.State.DONE

    filler.unlink()
    assert send(acme_project).status_code == 200
    assert processed() == Crash.State.DONE
    assert Crash.objects.count() == 2
