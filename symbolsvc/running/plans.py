"""Which processes the service consists of."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from symbolsvc.environment import BASE_DIR, ConfigurationError
from symbolsvc.running.children import Plan
from symbolsvc.running.forking import Fork

# Which queues a job process takes from, and how many such processes there are; each runs one job at a time.
JOB_PROCESSES: Final[tuple[tuple[str, int], ...]] = (("maintenance", 1), ("imports", 1), ("uploads", 1), ("again", 1))
CRASHES: Final = "crashes"
JOBS_STOP_SECONDS: Final = 20.0

CONVERTER_VARIABLE: Final = "SYMBOLSVC_CONVERTER"
# The variable of the Prometheus library: where processes share what they count.
METRICS_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
WORKERS_VARIABLE: Final = "WEB_WORKERS"


def converter(env: Mapping[str, str]) -> Plan:
    """The converter server, at the socket that the variable in `env` names."""
    paths = [str(BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
    argv = (sys.executable, "-m", "engine.convert.server", "--socket", env[CONVERTER_VARIABLE])
    return Plan("converter", argv, {**env, "PYTHONPATH": os.pathsep.join(paths)})


def cache_keeper(leave: Callable[[], None]) -> Fork:
    """The process that keeps this host's cache directory within its limits."""
    from symbolsvc.running import keeper

    return Fork("cache keeper", keeper.run, stop_seconds=2.0, leave=leave)


def jobs(crash_workers: int, leave: Callable[[], None], only: Collection[str] | None = None) -> list[Fork]:
    """The processes that run jobs, of all queues or some; `crash_workers` of them process crashes.

    Raises ConfigurationError for a queue that there is not.
    """
    from symbolsvc.working import run_jobs

    return [
        Fork(f"jobs {queue} {number}", partial(run_jobs, [queue]), JOBS_STOP_SECONDS, leave=leave)
        for queue, count in chosen(crash_workers, only)
        for number in range(1, count + 1)
    ]


def chosen(crash_workers: int, only: Collection[str] | None = None) -> list[tuple[str, int]]:
    """Queues and how many processes each has. Raises ConfigurationError for a queue that there is not."""
    counts = dict((*JOB_PROCESSES, (CRASHES, crash_workers)))
    unknown = sorted(set(only or ()) - set(counts))
    if unknown:
        raise ConfigurationError(f"--queues: there is no queue {unknown[0]}, only {', '.join(counts)}.")
    return [(queue, count) for queue, count in counts.items() if only is None or queue in only]


def web(address: str, graceful_seconds: float, leave: Callable[[], None]) -> Fork:
    """The web server's first process, which brings the tables up to date and forks the others.

    SIGQUIT ends it at once, with its children.
    """
    from symbolsvc.running.web import serve

    return Fork("web", partial(serve, address), graceful_seconds + 5.0, death_signal=signal.SIGQUIT, leave=leave)


def environment(data_dir: Path, database_url: str, sockets: Path, **more: str) -> dict[str, str]:
    """What the processes have in their environment beside ours: what we know more."""
    counted = sockets / "metrics"
    counted.mkdir(mode=0o700, exist_ok=True)
    known = {
        "SYMBOLSVC_DATA_DIR": str(data_dir),
        "DATABASE_URL": database_url,
        CONVERTER_VARIABLE: str(sockets / "converter"),
        METRICS_VARIABLE: str(counted),
    }
    return {**known, **more}
