"""An Apple on loopback, an organization that trusts it, and a source with its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from debugfiles.appstore.importing import run_import
from debugfiles.appstore.models import AppStoreImport
from tests.cast import Api, make_token
from tests.debugfiles.appstore import apple as apples
from tests.debugfiles.appstore.apple import Apple, packed, source

P = "/api/0/projects/acme/native-app/"
LEDGER_BREAKPAD = b"MODULE mac x86_64 67E9247C814E392BA027DBDE6748FCBF0 crash\nFUNC d20 10 0 main\nPUBLIC d20 0 main\n"


def dsym(name: str = "crash", content: bytes = LEDGER_BREAKPAD) -> dict[str, bytes]:
    """The files of a bundle. Small contents of another format do where only their way matters."""
    return {
        f"{name}.dSYM/Contents/Info.plist": b"<plist/>",
        f"{name}.dSYM/Contents/Resources/DWARF/{name}": content,
    }


def symbols(number: int) -> bytes:
    """A debug file with an id of its own."""
    return f"MODULE mac x86_64 {number:032X}0 lib\nPUBLIC d20 0 main\n".encode()


def archive(*numbers: int) -> bytes:
    """An archive with a bundle for each number."""
    files: dict[str, bytes] = {}
    for number in numbers:
        files |= dsym(f"lib{number}", symbols(number))
    return packed(files)


@pytest.fixture
def apple(settings: Any, tmp_path: Path):
    with apples.running() as running:
        settings.CACHE_DIR = tmp_path / "cache"
        settings.ENVIRONMENT = {
            **settings.ENVIRONMENT,
            "APP_STORE_CONNECT_URL": running.url,
            "ALLOWED_SOURCE_NETWORKS": ("127.0.0.0/8",),
        }
        yield running


@pytest.fixture
def api(acme, acme_project) -> Api:
    return Api(make_token(acme))


@pytest.fixture
def stored(apple: Apple, api: Api) -> AppStoreImport:
    """A source that is stored and due."""
    response = api.post(f"{P}symbol-sources/", source())
    assert response.status_code == 201, response.content
    return AppStoreImport.objects.get()


@pytest.fixture
def importing(stored: AppStoreImport, api: Api):
    """Run the import as often as the worker would find it due; how it stands afterwards."""

    def run(*, due: bool = True) -> dict[str, Any]:
        if due:
            AppStoreImport.objects.update(next_run=stored.next_run)
        run_import(stored.pk)
        (status,) = api.get(f"{P}app-store-connect/").json()
        return status

    return run
