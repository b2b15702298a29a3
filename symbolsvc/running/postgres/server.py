"""The life of one embedded PostgreSQL."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from engine.errors import SymbolsvcError
from symbolsvc.environment import ConfigurationError
from symbolsvc.running.datadir import DataDirectory, Lock
from symbolsvc.running.postgres import cluster, place
from symbolsvc.running.processes import Proceed, end, send, wait_for, working_in

# Recovery after a crash reads the log of the last minutes; it may take a while on a slow disk.
_START_SECONDS: Final = 120.0
_ORPHANS_LEAVE_SECONDS: Final = 3.0
_ORPHANS_QUIT_SECONDS: Final = 5.0
_ATTEMPTS: Final = 5


class DatabaseError(SymbolsvcError):
    """The embedded database does not start, or does not answer."""

    code = "database"


def url(sockets: Path | str, database: str = cluster.DATABASE) -> str:
    """The address of a database behind a socket in this directory."""
    return f"postgresql://{cluster.ROLE}@/{database}?host={quote(str(sockets), safe='')}"


def answers(address: str) -> bool:
    """Whether a database takes connections."""
    try:
        psycopg.connect(address, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


class Server:
    """The database of one data directory. `durable=False` gives up its data on a power cut, for tests."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.directory = DataDirectory(data_dir)
        self._durable = durable
        self._place: place.Place | None = None
        self._lock: Lock | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def begin(self) -> str:
        """Start without waiting until it answers; its address. Raises ConfigurationError."""
        ready = self._prepare()
        end_orphans(ready.data)
        self.process = cluster.start(ready, durable=self._durable)
        return url(ready.sockets)

    def leave(self) -> None:
        """Let go of its files' lock; to be called by a process that was forked from the one that runs it."""
        if self._lock is not None:
            self._lock.release()

    def start(self, proceed: Proceed = lambda: True) -> str:
        """Start unless begun, wait until it answers, and return its address; also after a crash of whatever kind.

        Raises ConfigurationError or DatabaseError; waiting ends early when `proceed` says no.
        """
        ready = self._prepare()
        for attempt in range(_ATTEMPTS):
            if not self._runs():
                self.begin()
            if wait_for(lambda: self._settled(ready), _START_SECONDS, proceed) and self._runs():
                self._create_database(ready)
                return url(ready.sockets)
            self.stop()
            if not proceed():
                break
            # An old backend may still hold the shared memory for a moment.
            time.sleep(0.2 * (attempt + 1))
        raise DatabaseError(f"The embedded database does not start; {ready.root / 'postgres.log'} says why.")

    def stop(self) -> None:
        """Stop in good order; harmless when it does not run."""
        if self.process is not None:
            end(self.process, [(signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0)])
            self.process = None

    def remove(self) -> None:
        """Delete all data and copies. For databases of tests."""
        self.stop()
        if self._place is not None:
            shutil.rmtree(self._place.root, ignore_errors=True)
            shutil.rmtree(self._place.sockets, ignore_errors=True)

    def _prepare(self) -> place.Place:
        if self._place is None:
            self._place = place.prepare(self.directory)
            self._lock = Lock(self._place.root / "lock")
            if not self._lock.take():
                raise ConfigurationError(f"{self._place.root}: in use by a copy of this data directory.")
            cluster.create(self._place, durable=self._durable)
        return self._place

    def _settled(self, ready: place.Place) -> bool:
        return not self._runs() or answers(url(ready.sockets, "postgres"))

    def _runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _create_database(self, ready: place.Place) -> None:
        with psycopg.connect(url(ready.sockets, "postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [cluster.DATABASE]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(cluster.DATABASE)))


def end_orphans(data: Path) -> None:
    """End what is left of an earlier server on this data, and remove the file that names its process.

    A process counts as its own when it runs `postgres` with this data as its working directory, so that a process id
    that was given to another program in the meantime is left alone.
    """

    def gone() -> bool:
        return not list(working_in(data, "postgres"))

    if not wait_for(gone, _ORPHANS_LEAVE_SECONDS):
        send(list(working_in(data, "postgres")), signal.SIGQUIT)
        if not wait_for(gone, _ORPHANS_QUIT_SECONDS):
            send(list(working_in(data, "postgres")), signal.SIGKILL)
            wait_for(gone, _ORPHANS_QUIT_SECONDS)
    (data / "postmaster.pid").unlink(missing_ok=True)
