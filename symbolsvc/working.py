"""What a process that runs jobs does, whoever started it."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence
from typing import Final

from core import background
from core.database import release
from core.installation import NotShared, demand_shared
from crashes.processing import loop
from crashes.processing.listening import Stop
from crashes.processing.persistence import surely
from crashes.processing.sweeping import sweep
from crashes.processing.waking import QUEUE as CRASHES
from symbolsvc import migrating
from symbolsvc.running.memory import give_back

log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 1.0
# As a command that cannot run with the settings that it has.
_MISCONFIGURED: Final = 2


def run_jobs(queues: Sequence[str]) -> None:
    """Run the jobs of these queues, one at a time, until SIGTERM."""
    give_back()
    _await_tables()
    _demand_shared()
    release()
    others = [queue for queue in queues if queue != CRASHES]
    if CRASHES not in queues:
        background.run(others)
    elif not others:
        _work_on_crashes()
    else:
        _work_on_both(others)


def _await_tables() -> None:
    """A host of workers may be there before the first web host, or newer than it."""
    if migrating.are_recorded():
        return
    log.warning("the tables are not up to date: waiting for a web host of this version, or for `manage.py migrate`")
    while not migrating.are_recorded():
        release()
        time.sleep(_LOOK_SECONDS)


def _demand_shared() -> None:
    """Work on files of another store could only fail, and would count as tries."""
    try:
        demand_shared()
    except NotShared as error:
        log.error("no jobs are run here: %s", error.message)
        release()
        sys.exit(_MISCONFIGURED)


def _work_on_crashes() -> None:
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.ask())
    _process(stop)


def _work_on_both(others: Sequence[str]) -> None:
    """Crashes in a thread of their own: the jobs' loop needs the first one."""
    stop = Stop()
    crashes = threading.Thread(target=_process, args=(stop,), name="crashes")
    crashes.start()
    try:
        background.run([*others])
    finally:
        stop.ask()
        crashes.join()


def _process(stop: Stop) -> None:
    """This process may take the place of one that was killed: what that one had is looked for first."""
    surely(sweep)
    release()
    loop.run(stop)
