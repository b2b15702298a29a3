"""The database that tests run on, as a pytest plugin.

With DATABASE_URL set, that server is used. Otherwise the embedded one is started once for the whole run, its workers
included, in a directory that goes away with it. Tests get their own databases in it from pytest-django.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

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


def _directory_of(worker: str) -> Path:
    """A data directory for each worker: what is addressed by its content would be shared, and deleted under others."""
    directory = Path(os.environ["SYMBOLSVC_DATA_DIR"]) / worker
    directory.mkdir(exist_ok=True)
    return directory


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:  # noqa: ARG001 - pytest's name
    # Settings are read when pytest-django loads, right after this. Workers inherit the environment set here.
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        os.environ["SYMBOLSVC_DATA_DIR"] = str(_directory_of(worker))
    elif "SYMBOLSVC_DATA_DIR" not in os.environ:
        os.environ["SYMBOLSVC_DATA_DIR"] = str(_running.enter_context(_temporary_directory()))
    if not os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] = _running.enter_context(_embedded(Path(os.environ["SYMBOLSVC_DATA_DIR"])))


def pytest_unconfigure(config: pytest.Config) -> None:  # noqa: ARG001 - pytest's name
    _running.close()
