"""The whole service for tests, started as an operator starts it.

`service` runs for the whole test session, one for each process of xdist, on a database of its own. A test makes its own
organization, and so needs no empty tables.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from symbolsvc.running.datadir import DataDirectory
from symbolsvc.running.processes import working_in
from tests.commander import Commander
from tests.database import TEMPLATE

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, str(ROOT / "manage.py")]
START_SECONDS = 60.0


def manage(*arguments: str, env: Mapping[str, str], **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command of manage.py to its end."""
    return subprocess.run([*MANAGE, *arguments], env=dict(env), capture_output=True, text=True, timeout=120, **options)


def environment(data_dir: Path, database_url: str = "", **more: str) -> dict[str, str]:
    """What a service of a test gets: nothing of the test's own settings."""
    ours = ("DATABASE_URL", "SYMBOLSVC_", "SECRET_KEY", "DJANGO_", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "SYMBOLSVC_DATA_DIR": str(data_dir), "DATABASE_URL": database_url, **more}


@dataclass
class Service:
    """A running `manage.py up`."""

    data_dir: Path
    env: dict[str, str]
    options: Sequence[str] = ("--workers", "2")
    prefix: Sequence[str] = ()
    cwd: Path = ROOT
    process: subprocess.Popen[str] | None = None
    url: str = ""
    lines: list[str] = field(default_factory=list)
    _commander: Commander | None = None

    @property
    def log_path(self) -> Path:
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    @property
    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        assert parts.hostname
        assert parts.port
        return parts.hostname, parts.port

    def start(self, port: int = 0) -> Service:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, *MANAGE, "up", "--port", str(port), *self.options],
                env=self.env,
                cwd=self.cwd,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready http://"), self.log
        self.url = line.split()[1]
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 60.0) -> int:
        """Send a signal and wait for the end; the exit status."""
        if self._commander is not None:
            self._commander.stop()
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.send_signal(number)
        status = self.process.wait(seconds)
        self.lines += self.process.stdout.readlines()
        self.process.stdout.close()
        return status

    def bootstrap(self, org: str | None = None, project: str | None = None, **options: str) -> dict:
        """A fresh organization and project, unless named; what the command prints."""
        names = ["--org", org or f"org-{uuid4().hex[:12]}", "--project", project or "web"]
        more = [part for name, value in options.items() for part in (f"--{name}", value)]
        return self._json("bootstrap", *names, *more)

    def token(self, org: str, project: str | None = None, scopes: Sequence[str] = ()) -> str:
        """The text of a new token."""
        bound = ["--project", project] if project else []
        return self._json("create_token", "--org", org, *bound, *(f"--scope={scope}" for scope in scopes))["token"]

    def children(self) -> dict[int, str]:
        """The processes that `up` started itself: command lines by id."""
        assert self.process is not None
        return children_of(self.process.pid)

    def child(self, word: str) -> int:
        """The one child whose command line holds `word`."""
        (found,) = [pid for pid, line in self.children().items() if word in line]
        return found

    def job_processes(self, queue: str = "") -> list[int]:
        """The processes that run jobs, of all queues or one."""
        return [pid for pid, line in self.children().items() if line.startswith(f"symbolsvc: jobs {queue}")]

    def _json(self, *arguments: str) -> dict:
        status, output, errors = self._command(*arguments, "--json")
        assert status == 0, errors
        return json.loads(output)

    def _command(self, *arguments: str) -> tuple[int, str, str]:
        # What finds the embedded database stands before Django, in manage.py itself.
        if not self.env["DATABASE_URL"]:
            done = manage(*arguments, env=self.env)
            return done.returncode, done.stdout, done.stderr
        if self._commander is None:
            self._commander = Commander(self.env)
        return self._commander.run(*arguments)


def children_of(parent: int) -> dict[int, str]:
    """Command lines of the direct children of a process, by id."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == parent and fields[0] != "Z":
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
    return found


def eventually(condition, seconds: float = 20.0):
    """What `condition` returns once it is true; fails when that takes too long."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return result


def database_processes(data_dir: Path) -> list[int]:
    """The processes of a data directory's embedded database."""
    locator = DataDirectory(data_dir).locator()
    return list(working_in(Path(locator.place) / "data", "postgres")) if locator else []


def remove_place(data_dir: Path) -> None:
    """Delete the embedded database's files, which lie elsewhere for root; nobody may be working there any more."""
    assert not database_processes(data_dir)
    locator = DataDirectory(data_dir).locator()
    if locator is not None:
        shutil.rmtree(locator.place)


def create_database(name: str, *, bare: bool = False) -> str:
    """A fresh database on the server of the test run; its address. With tables where the run has made them."""
    server = os.environ["DATABASE_URL"]
    template = "template1" if bare else os.environ.get(TEMPLATE, "template1")
    with psycopg.connect(server, autocommit=True) as connection:
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(command.format(sql.Identifier(name), sql.Identifier(template)))
    return psycopg.conninfo.make_conninfo(server, dbname=name)


def drop_database(name: str) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def url_of(conninfo: str) -> str:
    """A connection string as a URL, which is what DATABASE_URL wants."""
    parts = psycopg.conninfo.conninfo_to_dict(conninfo)
    name = parts.pop("dbname")
    user = parts.pop("user", "")
    query = "&".join(f"{key}={str(value).replace('/', '%2F')}" for key, value in parts.items())
    return f"postgresql://{user}@/{name}?{query}"


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    name = f"e2e_{uuid4().hex[:12]}"
    data_dir = tmp_path_factory.mktemp("service") / "data"
    running = Service(data_dir, environment(data_dir, url_of(create_database(name)), **SERVICE_SETTINGS))
    try:
        yield running.start()
    finally:
        if running.process is not None and running.process.poll() is None:
            running.stop()
        drop_database(name)


# Short enough that tests of slow clients end soon, and long enough for the others on a busy machine.
SERVICE_SETTINGS = {
    "BODY_IDLE_SECONDS": "2",
    "BODY_MAX_SECONDS": "4",
    "HEADER_SECONDS": "6",
    "GRACEFUL_SECONDS": "10",
    "ALLOWED_SOURCE_NETWORKS": "127.0.0.0/8",
    "ACCESS_LOG": "true",
    "CRASH_WORKERS": "1",
}


# Rooms whose tests start processes and servers of their own.
WITH_PROCESSES = {"faults", "running", "clients", "browser", "demo", "shell", "scaleout", "outgoing", "sourcetypes"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "service" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.e2e)
        # What other processes do in time is no property of the code on a machine that is short of it: one more try,
        # which the summary names.
        if item.get_closest_marker("e2e") or WITH_PROCESSES.intersection(item.path.parts):
            item.add_marker(pytest.mark.flaky(reruns=1))
