"""`manage.py worker`: the job processes alone, for a host without web processes."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.errors import SymbolsvcError
from symbolsvc import environment
from symbolsvc.environment import ConfigurationError
from symbolsvc.running import plans, program, secrets
from symbolsvc.running.postgres import available
from symbolsvc.running.processes import detach
from symbolsvc.running.scratch import scratch_environment
from symbolsvc.running.supervisor import Supervisor


def main(arguments: Sequence[str]) -> int:
    """Run until told to stop; the exit status is that of `up`."""
    parser = argparse.ArgumentParser(prog="manage.py worker", description="Run background jobs.")
    parser.add_argument("--data-dir", help="where database, secrets and caches live")
    parser.add_argument("--queues", help="run the jobs of these queues alone, separated by commas (crashes)")
    options = parser.parse_args(arguments)
    try:
        _work(environment.read(), _names(options.queues))
    except SymbolsvcError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2 if isinstance(error, ConfigurationError) else 1
    return 0


def _names(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(text.split(","))


def _work(values: dict[str, Any], queues: frozenset[str] | None) -> None:
    data_dir = environment.data_dir(values)
    secrets.settled(values, data_dir)
    if values["DATABASE_URL"]:
        _supervise(values, values["DATABASE_URL"], queues)
        return
    with available(data_dir) as database_url:
        _supervise(values, database_url, queues)


def _supervise(values: dict[str, Any], database_url: str, queues: frozenset[str] | None) -> None:
    plans.chosen(values["CRASH_WORKERS"], queues)
    with tempfile.TemporaryDirectory(prefix="symbolsvc-") as sockets, Supervisor() as supervisor:
        known = plans.environment(environment.data_dir(values), database_url, Path(sockets))
        scratch = scratch_environment(environment.cache_dir(values))
        supervisor.start([plans.converter({**os.environ, **known, **scratch})])
        program.load(known)

        def leave() -> None:
            detach()
            supervisor.leave()

        # A database that is away for long is no reason to give up.
        supervisor.ready = True
        supervisor.start([plans.cache_keeper(leave), *plans.jobs(values["CRASH_WORKERS"], leave, queues)])
        supervisor.run()
