"""Collects ten thousand tests in less time, as a pytest plugin: each worker of a run does so for itself.

What is loaded stays until the end, so the garbage collector looks at none of it. Where nothing is compiled yet, each
worker begins elsewhere: what it comes to later the others have compiled by then.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

gc.disable()


def _modules(config: pytest.Config) -> list[str]:
    """The names of all test modules below the folders that are to be run."""
    folders = [path for path in map(Path, config.args) if path.is_dir()]
    found = sorted({file.resolve() for folder in folders for file in folder.rglob("test_*.py")})
    return [".".join(file.relative_to(config.rootpath).with_suffix("").parts) for file in found]


def _from_another_one_each(modules: list[str]) -> Iterator[str]:
    worker = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    first = len(modules) * worker // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    yield from modules[first:]
    yield from modules[:first]


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    if "PYTEST_XDIST_WORKER" in os.environ:
        for name in _from_another_one_each(_modules(session.config)):
            # Whatever is wrong with it is told when pytest loads it.
            with contextlib.suppress(Exception, pytest.skip.Exception):
                importlib.import_module(name)
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
