"""The database that tests run on, as a pytest plugin.

With DATABASE_URL set, that server is used. Otherwise the embedded one is started once for the whole run, its workers
included, in a directory that goes away with it. Tests get their own databases in it from pytest-django. Where there are
workers, the tables are made once, in a database that those of the workers and of services are copies of.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

# Where the name of the database with all tables stands.
TEMPLATE = "TESTS_TEMPLATE_DATABASE"
_ROOT = Path(__file__).resolve().parent.parent
_running = ExitStack()


@contextmanager
def _temporary_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="symbolsvc-tests-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _embedded(data_dir: Path) -> Iterator[str]:
    from symbolsvc.running.postgres import Server

    server = Server(data_dir, durable=False)
    try:
        yield server.start()
    finally:
        server.stop()
        server.remove()


@contextmanager
def _template(server: str) -> Iterator[str]:
    """The name of a database with the tables of all migrations and nobody connected, while the context is open."""
    name = f"template_{uuid4().hex[:12]}"
    quoted = sql.Identifier(name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
        try:
            address = psycopg.conninfo.make_conninfo(server, dbname=name)
            _migrate(address)
            yield name
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))


def _migrate(conninfo: str) -> None:
    from tests.service import url_of

    env = {"SECRET_KEY": "tests-only-0123456789012345678901234567890", **os.environ, "DATABASE_URL": url_of(conninfo)}
    command = [sys.executable, str(_ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        raise pytest.UsageError(f"the tables for the tests could not be made:\n{done.stderr[-4000:]}")


def _has_workers(config: pytest.Config) -> bool:
    return bool(getattr(config.known_args_namespace, "numprocesses", None))


def _directory_of(worker: str) -> Path:
    """A data directory for each worker: what is addressed by its content would be shared, and deleted under others."""
    directory = Path(os.environ["SYMBOLSVC_DATA_DIR"]) / worker
    directory.mkdir(exist_ok=True)
    return directory


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    # Settings are read when pytest-django loads, right after this. Workers inherit the environment set here.
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        os.environ["SYMBOLSVC_DATA_DIR"] = str(_directory_of(worker))
    elif "SYMBOLSVC_DATA_DIR" not in os.environ:
        os.environ["SYMBOLSVC_DATA_DIR"] = str(_running.enter_context(_temporary_directory()))
    if not os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] = _running.enter_context(_embedded(Path(os.environ["SYMBOLSVC_DATA_DIR"])))
    if not worker and _has_workers(early_config):
        os.environ[TEMPLATE] = _running.enter_context(_template(os.environ["DATABASE_URL"]))


def pytest_unconfigure(config: pytest.Config) -> None:  # noqa: ARG001 - pytest's name
    _running.close()
