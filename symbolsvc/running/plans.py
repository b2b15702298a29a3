"""Which processes the service consists of."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from symbolsvc.environment import BASE_DIR, ConfigurationError
from symbolsvc.running.children import Plan

MANAGE: Final = str(BASE_DIR / "manage.py")
# Which queues a job process takes from, and how many such processes there are; each runs one job at a time.
JOB_PROCESSES: Final[tuple[tuple[str, int], ...]] = (("maintenance", 1), ("imports", 1), ("uploads", 1), ("again", 1))
CRASHES: Final = "crashes"
JOBS_STOP_SECONDS: Final = 20.0

CONVERTER_VARIABLE: Final = "SYMBOLSVC_CONVERTER"
# The variable of the Prometheus library: where processes share what they count.
METRICS_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
LISTEN_VARIABLE: Final = "SYMBOLSVC_LISTEN"
WORKERS_VARIABLE: Final = "WEB_WORKERS"
MIGRATE_VARIABLE: Final = "SYMBOLSVC_MIGRATE"


def manage(name: str, env: Mapping[str, str], *arguments: str, **options: Any) -> Plan:
    """A process that runs a command of manage.py."""
    return Plan(name, (sys.executable, MANAGE, *arguments), env, **options)


def converter(env: Mapping[str, str]) -> Plan:
    """The converter server, at the socket that the variable in `env` names."""
    paths = [str(BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
    argv = (sys.executable, "-m", "engine.convert.server", "--socket", env[CONVERTER_VARIABLE])
    return Plan("converter", argv, {**env, "PYTHONPATH": os.pathsep.join(paths)})


def cache_keeper(env: Mapping[str, str]) -> Plan:
    """The process that keeps this host's cache directory within its limits."""
    return manage("cache keeper", env, "keep_cache", stop_seconds=2.0)


def jobs(env: Mapping[str, str], crash_workers: int, only: Collection[str] | None = None) -> Plan:
    """The process that forks those that run jobs, of all queues or some; `crash_workers` of them process crashes.

    Raises ConfigurationError for a queue that there is not.
    """
    counts = dict((*JOB_PROCESSES, (CRASHES, crash_workers)))
    unknown = sorted(set(only or ()) - set(counts))
    if unknown:
        raise ConfigurationError(f"--queues: there is no queue {unknown[0]}, only {', '.join(counts)}.")
    chosen = [f"{queue}={count}" for queue, count in counts.items() if only is None or queue in only]
    return manage("jobs", env, "jobs", *chosen, stop_seconds=JOBS_STOP_SECONDS + 3.0)


def web(env: Mapping[str, str], graceful_seconds: float) -> Plan:
    """The web server's first process, which brings the tables up to date and forks the others.

    SIGQUIT ends it at once, with its children.
    """
    return manage(
        "web", {**env, MIGRATE_VARIABLE: "1"}, "web", stop_seconds=graceful_seconds + 5.0, death_signal=signal.SIGQUIT
    )


def environment(data_dir: Path, database_url: str, sockets: Path, **more: str) -> dict[str, str]:
    """What the processes get: our environment and what we know more."""
    counted = sockets / "metrics"
    counted.mkdir(mode=0o700, exist_ok=True)
    known = {
        "SYMBOLSVC_DATA_DIR": str(data_dir),
        "DATABASE_URL": database_url,
        CONVERTER_VARIABLE: str(sockets / "converter"),
        METRICS_VARIABLE: str(counted),
    }
    return {**os.environ, **known, **more}
