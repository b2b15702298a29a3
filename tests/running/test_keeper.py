"""The process that keeps the cache within its limits."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from engine.caches import Limits
from engine.lookup import ModuleStatus, Store
from engine.modules import ModuleType, Wanted
from symbolsvc import environment as settings_table
from symbolsvc.running.keeper import Keeper, limits_of
from tests.engine.lookup.conftest import LEDGER_FILE, look, make_source
from tests.engine.webserver import reply, web_server
from tests.service import Service, create_database, drop_database, environment, eventually, url_of

KIB = 1024


def on_disk(root: Path) -> int:
    sizes = []
    for path in root.rglob("*"):
        try:
            sizes.append(path.stat().st_blocks * 512 if path.is_file() else 0)
        except FileNotFoundError:
            continue
    return sum(sizes)


def limits(max_bytes: int) -> Limits:
    return Limits(max_bytes, 86_400, 7 * 86_400)


def fill(root: Path, size: int, name: str = "a" * 64) -> Path:
    path = root / "objects/1/aa" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    return path


def test_a_pass_is_made_at_once_then_when_it_is_time_or_the_disk_fills(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, limits(1024 * KIB))
    assert keeper.step() is not None
    assert keeper.step() is None

    keeper.free_bytes += 1024 * KIB
    assert keeper.step() is not None

    keeper.next_pass = 0.0
    assert keeper.step() is not None


def test_of_two_keepers_on_one_directory_one_works_and_the_other_follows(tmp_path: Path) -> None:
    first, second = Keeper(tmp_path, limits(KIB)), Keeper(tmp_path, limits(KIB))
    assert first.step() is not None
    assert second.step() is None

    os.close(first._lock)

    assert second.step() is not None


def test_trouble_with_the_directory_is_told_and_survived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keeper = Keeper(tmp_path / "gone", limits(KIB))
    assert keeper.step() is None
    assert "cannot be tidied" in capsys.readouterr().err


def test_lookups_go_on_at_the_limit_and_the_limit_holds(tmp_path: Path) -> None:
    library = LEDGER_FILE.read_bytes()
    with web_server() as server:
        server.default = reply(body=library)
        store = Store(tmp_path / "cache", max_download_bytes=50 * 1024**2)
        source, max_bytes = make_source(server.url, filters={"filetypes": ["elf_code"]}), 1024 * KIB
        keeper = Keeper(store.cache_dir, limits(max_bytes))
        store.cache_dir.mkdir()
        highest, stopped = 0, threading.Event()

        def keep() -> None:
            nonlocal highest
            while not stopped.is_set():
                keeper.next_pass = 0.0
                keeper.step()
                highest = max(highest, on_disk(store.cache_dir))

        thread = threading.Thread(target=keep)
        thread.start()
        for number in range(60):
            wanted = Wanted(ModuleType.ELF, f"{number:040x}", "/opt/app/libledger.so", None, "libledger.so")
            assert look(store, [source], wanted).status is ModuleStatus.FOUND
        stopped.set()
        thread.join()
        converter = store.converter._own
        assert converter is not None
        converter.kill()
        converter.wait()

    assert len(server.asked) == 60
    assert 60 * len(library) > max_bytes
    # A look at the directory sees also what came after the keeper's.
    assert max_bytes // 4 < highest <= max_bytes + 4 * len(library)


def test_limits_come_from_the_settings_and_else_from_the_disk(tmp_path: Path) -> None:
    values = settings_table.read({"CACHE_MAX_BYTES": "5000", "CACHE_DOWNLOADED_SECONDS": "7"})
    assert limits_of(values, tmp_path) == Limits(5000, 7, 7 * 86_400)
    assert limits_of(settings_table.read({}), tmp_path).max_bytes > 10**6


def test_the_running_service_keeps_its_cache_within_the_limit(tmp_path: Path) -> None:
    name = f"keeper_{os.getpid()}"
    data_dir = tmp_path / "data"
    env = environment(data_dir, url_of(create_database(name)), CACHE_MAX_BYTES=str(400 * KIB))
    running = Service(data_dir, env, options=("--workers", "1"))
    try:
        running.start()
        assert running.child("symbolsvc: cache keeper")
        old = fill(data_dir / "cache", 200 * KIB, "b" * 64)
        os.utime(old, (time.time() - 100, time.time() - 100))
        new = fill(data_dir / "cache", 200 * KIB)
        eventually(lambda: not old.exists())
        assert new.exists()
        assert "from the cache" in running.log
    finally:
        running.stop()
        drop_database(name)
