"""The embedded PostgreSQL, with whatever may have happened to an earlier one."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest

from symbolsvc.environment import ConfigurationError
from symbolsvc.running.datadir import DataDirectory, Lock
from symbolsvc.running.postgres import Server, available
from symbolsvc.running.postgres.server import answers, end_orphans
from symbolsvc.running.processes import working_in
from tests.service import ROOT, eventually


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("postgres") / "data"


@pytest.fixture(scope="module")
def server(data_dir):
    server = Server(data_dir, durable=False)
    yield server
    server.remove()


@pytest.fixture
def running(server):
    address = server.start()
    yield address
    server.stop()


def data_of(server):
    return Path(server.directory.locator().place) / "data"


def one(address, query):
    with psycopg.connect(address, autocommit=True) as connection:
        return connection.execute(query).fetchone()[0]


def test_it_is_as_the_service_needs_it(running):
    assert one(running, "SHOW server_version").startswith("18.")
    assert one(running, "SELECT current_user") == "symbolsvc"
    query = "SELECT {} FROM pg_database WHERE datname = 'symbolsvc'"
    assert one(running, query.format("datlocprovider::text")) == "b"
    assert one(running, query.format("datlocale")) == "C.UTF-8"
    assert one(running, query.format("pg_encoding_to_char(encoding)")) == "UTF8"
    assert one(running, "SHOW listen_addresses") == ""


def test_it_keeps_its_data(server, running):
    with psycopg.connect(running, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    assert one(server.start(), "SELECT answer FROM kept") == 42


def test_nothing_of_it_is_open_to_others(server, running):
    locator = server.directory.locator()
    for path in (Path(locator.sockets), data_of(server)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert Path(locator.place).stat().st_mode & 0o007 == 0
    assert len(f"{locator.sockets}/.s.PGSQL.5432") <= 100


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's database runs as another user")
def test_as_root_it_runs_as_nobody(server, running):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (uids,) = [line.split()[1:] for line in status.splitlines() if line.startswith("Uid:")]
    assert set(uids) == {"65534"}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_another_user_is_not_let_in(server, running):
    (psql,) = Path(server.directory.locator().place).glob("program-*/*/pginstall18/bin/psql")
    # The socket's directory belongs to `nobody`, who can get to it and still has no role.
    done = subprocess.run(
        [psql, running], user=65534, group=65534, extra_groups=[], capture_output=True, text=True, env={}
    )
    assert done.returncode != 0
    assert "authentication failed" in done.stderr


@pytest.mark.parametrize("victim", ["postmaster", "backend"])
def test_it_starts_again_after_a_kill(server, running, victim):
    with psycopg.connect(running) as connection:
        pid = server.process.pid if victim == "postmaster" else connection.info.backend_pid
        os.kill(pid, signal.SIGKILL)
        if victim == "postmaster":
            server.process.wait()
        assert one(server.start() if victim == "postmaster" else eventually_up(running), "SELECT 1") == 1


def eventually_up(address):
    eventually(lambda: answers(address))
    return address


def test_a_backend_that_outlives_its_server_is_ended(server, running):
    backend = psycopg.connect(running)
    # A stopped process notices nothing.
    os.kill(backend.info.backend_pid, signal.SIGSTOP)
    server.process.kill()
    server.process.wait()
    assert one(server.start(), "SELECT 1") == 1
    assert backend.info.backend_pid not in list(working_in(data_of(server), "postgres"))


def test_a_process_id_that_was_given_away_is_left_alone(server, running):
    server.stop()
    stranger = subprocess.Popen(["sleep", "60"], cwd=data_of(server))
    try:
        (data_of(server) / "postmaster.pid").write_text(f"{stranger.pid}\n{data_of(server)}\n1\n5432\n\n\n0 0\n")
        assert one(server.start(), "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_orphans_of_another_directory_are_left_alone(server, running, tmp_path):
    end_orphans(tmp_path)
    assert server.process.poll() is None
    assert server.process.pid in list(working_in(data_of(server), "postgres"))


DIES = """
import sys
from pathlib import Path
from symbolsvc.running.postgres import Server
server = Server(Path(sys.argv[1]), durable=False)
server.start()
print(server.process.pid, flush=True)
import time
time.sleep(600)
"""


def test_it_ends_with_the_process_that_started_it(server, data_dir):
    server._lock.release()
    try:
        parent = subprocess.Popen(
            [sys.executable, "-c", DIES, str(data_dir)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert int(parent.stdout.readline()) in list(working_in(data_of(server), "postgres"))
        parent.kill()
        parent.communicate()
        eventually(lambda: not list(working_in(data_of(server), "postgres")))
    finally:
        assert server._lock.take(wait=True)


def test_a_copy_of_the_data_directory_cannot_use_the_same_database(server, running, data_dir, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(data_dir, copy, ignore=shutil.ignore_patterns("postgres"))
    if os.geteuid() != 0:
        pytest.skip("a plain user's database lies inside the data directory")
    with pytest.raises(ConfigurationError, match="copy of this data directory"):
        Server(copy).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="a plain user's database goes away with its data directory")
def test_what_a_removed_data_directory_left_is_not_used(tmp_path):
    def start():
        server = Server(tmp_path / "data", durable=False)
        address = server.start()
        return server, address

    first, address = start()
    try:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CREATE TABLE old ()")
        first.stop()
        shutil.rmtree(tmp_path / "data")
        second, address = start()
        try:
            assert one(address, "SELECT to_regclass('old')") is None
        finally:
            second.remove()
    finally:
        first.remove()


def test_commands_share_a_database_that_none_of_them_ends_early(tmp_path):
    address, release = [], threading.Event()
    entered = threading.Event()

    def first():
        with available(tmp_path / "data") as url:
            address.append(url)
            entered.set()

    def second():
        entered.wait()
        with available(tmp_path / "data") as url:
            address.append(url)
            release.wait(20)
            assert one(url, "SELECT 1") == 1
            address.append("worked")

    with available(tmp_path / "data") as outer:
        threads = [threading.Thread(target=target) for target in (first, second)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(address) == 2)
        release.set()
    for thread in threads:
        thread.join()
    assert address == [outer, outer, "worked"]
    assert not answers(outer)
    shutil.rmtree(DataDirectory(tmp_path / "data").locator().place)


def test_a_lock_is_held_once(tmp_path):
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()


def test_shared_locks_go_together_and_an_exclusive_one_waits(tmp_path):
    first, second, third = (Lock(tmp_path / "lock") for _ in range(3))
    assert first.take(shared=True)
    assert second.take(shared=True)
    assert not third.take()
    first.release()
    second.release()
    assert third.take()


def test_a_long_path_gets_a_short_directory_for_sockets(tmp_path):
    directory = DataDirectory(tmp_path / "data")
    made = directory.socket_directory(tmp_path / ("x" * 90))
    try:
        assert len(str(made)) < 80
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
        assert directory.socket_directory(tmp_path / ("x" * 90), before=str(made)) == made
        made.chmod(0o755)
        other = directory.socket_directory(tmp_path / ("x" * 90), before=str(made))
        assert other != made, "somebody else may have made it"
        other.rmdir()
    finally:
        made.rmdir()


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="file/data: cannot be made"):
        DataDirectory(tmp_path / "file" / "data")
