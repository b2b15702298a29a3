"""`manage.py up`: the whole service, from one command. Imports no Django."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from engine.errors import SymbolsvcError
from symbolsvc import environment
from symbolsvc.environment import ConfigurationError
from symbolsvc.running import plans, secrets
from symbolsvc.running.datadir import DataDirectory
from symbolsvc.running.listening import Address
from symbolsvc.running.postgres import DatabaseError, Server
from symbolsvc.running.postgres.server import answers
from symbolsvc.running.processes import wait_for
from symbolsvc.running.scratch import scratch_environment
from symbolsvc.running.supervisor import Supervisor, log

CONFIGURATION_STATUS: Final = 2
FAILURE_STATUS: Final = 1
# It may be starting at the same time.
_DATABASE_SECONDS: Final = 10.0


def main(arguments: Sequence[str]) -> int:
    """Run until told to stop; the exit status: 0 after a stop in good order, 2 for what the operator has to change."""
    options = _parser().parse_args(arguments)
    try:
        _up(options, environment.read())
    except ConfigurationError as error:
        sys.stderr.write(f"{error.message}\n")
        return CONFIGURATION_STATUS
    except SymbolsvcError as error:
        sys.stderr.write(f"{error.message}\n")
        return FAILURE_STATUS
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage.py up", description="Start the service, its database included.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (127.0.0.1)")
    parser.add_argument("--port", type=_port, default=8000, help="the port; 0 for a free one (8000)")
    parser.add_argument("--workers", type=int, help="web processes (one per core)")
    parser.add_argument("--data-dir", help="where database, secrets and caches live")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError(text)
    return port


def _up(options: argparse.Namespace, values: dict[str, Any]) -> None:
    data_dir = environment.data_dir(values)
    with _lock(data_dir) as directory, _sockets(directory) as sockets:
        secrets.settled(values, data_dir)
        address = Address(options.host, options.port)
        server = None if values["DATABASE_URL"] else Server(data_dir)
        with Supervisor(server) as supervisor:
            database_url = _database_url(server, supervisor, values)
            if database_url is None:
                log("stopping")
                return
            env = plans.environment(data_dir, database_url, sockets, **_web_environment(address, options))
            _start(supervisor, env, address, values)


def _database_url(server: Server | None, supervisor: Supervisor, values: dict[str, Any]) -> str | None:
    """The address of a database that answers; None when told to stop before it did. Raises DatabaseError."""
    if server is None:
        return _answering(values["DATABASE_URL"])
    try:
        return server.start(supervisor.proceed)
    except DatabaseError:
        if supervisor.proceed():
            raise
        return None


def _answering(database_url: str) -> str:
    if not wait_for(lambda: answers(database_url), _DATABASE_SECONDS):
        raise DatabaseError("DATABASE_URL: the database does not answer.")
    return database_url


def _web_environment(address: Address, options: argparse.Namespace) -> dict[str, str]:
    workers = {} if options.workers is None else {plans.WORKERS_VARIABLE: str(options.workers)}
    return {plans.LISTEN_VARIABLE: str(address), **workers}


def _start(supervisor: Supervisor, env: dict[str, str], address: Address, values: dict[str, Any]) -> None:
    supervisor.start([plans.converter({**env, **scratch_environment(environment.cache_dir(values))})])
    supervisor.start([plans.web(env, values["GRACEFUL_SECONDS"])])
    if supervisor.wait_until(lambda: address.answers("/livez")):
        supervisor.ready = True
        supervisor.start([plans.cache_keeper(env), plans.jobs(env, values["CRASH_WORKERS"])])
        sys.stdout.write(f"ready http://{address}\n")
        sys.stdout.flush()
        supervisor.run()
    log("stopping")


@contextmanager
def _lock(data_dir: Path) -> Iterator[DataDirectory]:
    directory = DataDirectory(data_dir)
    if not directory.running.take():
        raise ConfigurationError(f"{data_dir}: another `up`, or a command, is running on this data directory.")
    try:
        yield directory
    finally:
        directory.running.release()


@contextmanager
def _sockets(directory: DataDirectory) -> Iterator[Path]:
    sockets = directory.socket_directory(directory.path / "run")
    try:
        yield sockets
    finally:
        shutil.rmtree(sockets, ignore_errors=True)
