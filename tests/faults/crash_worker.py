"""Processes that work on the crashes of a test's own database, with something held or broken in them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.service import MANAGE, ROOT, environment, url_of

_PROGRAM = """
import os, signal, sys
import django
django.setup()
from crashes.processing import working
examine = working.examine
def held(crash, deadline):
    {happens}
    return examine(crash, deadline)
working.examine = held
from django.core.management import call_command
print("ready", flush=True)
call_command("run_jobs", "--queues", "crashes")
"""
# What happens before a report is looked into, in a process of its own.
DIES_OF_POISON = """
    if crash.attributes.get("poison"):
        os.kill(os.getpid(), signal.SIGKILL)
"""
WAITS = """
    print("holding", flush=True)
    sys.stdin.readline()
"""


def database_url() -> str:
    parts = connection.settings_dict
    given = {"dbname": parts["NAME"], "user": parts["USER"], "host": parts["HOST"], "port": parts["PORT"]}
    return url_of(" ".join(f"{name}={value}" for name, value in given.items() if value))


def env_of(data_dir: Path, **more: str) -> dict[str, str]:
    """The environment of a machine with a data directory of its own, and the store that all share."""
    shared = {
        "SECRET_KEY": settings.SECRET_KEY,
        "SECRET_KEYS": ",".join(settings.SECRET_KEYS),
        "BLOB_STORE": str(Path(settings.DATA_DIR) / "blobs"),
        "CRASH_LEASE_SECONDS": "5",
        "DJANGO_SETTINGS_MODULE": "symbolsvc.settings",
    }
    return environment(data_dir, database_url(), **{**shared, **more})


@contextmanager
def process(data_dir: Path, arguments: Sequence[str], **more: str) -> Iterator[subprocess.Popen[str]]:
    with (data_dir.parent / f"{data_dir.name}.log").open("ab") as log:
        started = subprocess.Popen(
            [*arguments],
            env=env_of(data_dir, **more),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield started
    finally:
        if started.poll() is None:
            os.kill(started.pid, signal.SIGCONT)
            started.kill()
        started.communicate()


@contextmanager
def worker(data_dir: Path, happens: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A worker process in which `happens` happens."""
    program = _PROGRAM.replace("    {happens}\n", happens.lstrip("\n"))
    with process(data_dir, [sys.executable, "-c", program], **more) as started:
        assert said(started) == "ready"
        yield started


@contextmanager
def machine(data_dir: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """`manage.py worker` for crashes alone, with caches of its own."""
    arguments = [*MANAGE, "worker", "--queues", "crashes"]
    with process(data_dir, arguments, **{"CRASH_WORKERS": "1", **more}) as started:
        yield started


def said(process: subprocess.Popen[str]) -> str:
    """The next line that it prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
