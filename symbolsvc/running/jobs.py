"""`manage.py jobs`: loads the program once and forks the processes that run jobs, which share what is loaded.

`up` and `worker` start it: `manage.py jobs maintenance=1 crashes=3`, queues and how many processes each has.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from functools import partial

from symbolsvc import environment
from symbolsvc.running.forking import Fork
from symbolsvc.running.plans import JOBS_STOP_SECONDS
from symbolsvc.running.scratch import use_scratch
from symbolsvc.running.supervisor import Supervisor


def main(arguments: Sequence[str]) -> int:
    """Keep the processes running until told to stop."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "symbolsvc.settings")
    use_scratch(environment.cache_dir(environment.read()))
    with Supervisor(who="jobs") as supervisor:
        supervisor.ready = True
        forks = _forks(arguments)
        # What is loaded stays shared as long as the collector does not touch it.
        gc.collect()
        gc.freeze()
        supervisor.start(forks)
        supervisor.run()
    return 0


def _forks(arguments: Sequence[str]) -> list[Fork]:
    import django

    django.setup()
    from symbolsvc.working import run_jobs

    counts = [(queue, int(count)) for queue, _, count in (argument.partition("=") for argument in arguments)]
    return [
        Fork(f"jobs {queue} {number}", partial(run_jobs, [queue]), JOBS_STOP_SECONDS)
        for queue, count in counts
        for number in range(1, count + 1)
    ]
