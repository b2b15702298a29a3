"""`manage.py up`: the whole service, from one command."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from engine.errors import SymbolsvcError
from symbolsvc import environment
from symbolsvc.environment import ConfigurationError
from symbolsvc.running import plans, program, secrets
from symbolsvc.running.datadir import DataDirectory
from symbolsvc.running.listening import Address
from symbolsvc.running.postgres import DatabaseError, Server
from symbolsvc.running.postgres.server import answers
from symbolsvc.running.processes import detach, wait_for
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
    parser.add_argument(
        "--without-jobs", action="store_true", help="answer requests only: `worker` on other hosts runs jobs"
    )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError(text)
    return port


def _up(options: argparse.Namespace, values: dict[str, Any]) -> None:
    if options.without_jobs and not values["DATABASE_URL"]:
        raise ConfigurationError("--without-jobs: set DATABASE_URL to the database that other hosts run jobs on.")
    data_dir = environment.data_dir(values)
    with _lock(data_dir) as directory, _sockets(directory) as sockets:
        secrets.settled(values, data_dir)
        address = Address(options.host, options.port)
        server = None if values["DATABASE_URL"] else Server(data_dir)
        with Supervisor(server) as supervisor:
            database_url = server.begin() if server else _answering(values["DATABASE_URL"])
            known = plans.environment(data_dir, database_url, sockets, **_chosen(options))
            scratch = scratch_environment(environment.cache_dir(values))
            supervisor.start([plans.converter({**os.environ, **known, **scratch})])
            # While our own database starts.
            program.load(known)

            def leave() -> None:
                detach()
                directory.running.release()
                address.close()
                supervisor.leave()

            if _answers(server, supervisor):
                _serve(supervisor, address, values, leave, with_jobs=not options.without_jobs)
            log("stopping")


def _answers(server: Server | None, supervisor: Supervisor) -> bool:
    """Whether the database that was begun answers; False when told to stop before. Raises DatabaseError."""
    try:
        if server is not None:
            server.start(supervisor.proceed)
    except DatabaseError:
        if supervisor.proceed():
            raise
    return supervisor.proceed()


def _answering(database_url: str) -> str:
    if not wait_for(lambda: answers(database_url), _DATABASE_SECONDS):
        raise DatabaseError("DATABASE_URL: the database does not answer.")
    return database_url


def _chosen(options: argparse.Namespace) -> dict[str, str]:
    return {} if options.workers is None else {plans.WORKERS_VARIABLE: str(options.workers)}


def _serve(
    supervisor: Supervisor, address: Address, values: dict[str, Any], leave: Callable[[], None], *, with_jobs: bool
) -> None:
    supervisor.start([plans.web(str(address), values["GRACEFUL_SECONDS"], leave)])
    if supervisor.wait_until(lambda: address.answers("/livez")):
        supervisor.ready = True
        jobs = plans.jobs(values["CRASH_WORKERS"], leave) if with_jobs else []
        supervisor.start([plans.cache_keeper(leave), *jobs])
        sys.stdout.write(f"ready http://{address}\n")
        sys.stdout.flush()
        supervisor.run()


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
