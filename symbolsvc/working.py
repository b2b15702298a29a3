"""What a process that runs jobs does, whoever started it."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from typing import Final

from core import background
from core.database import release
from core.installation import NotShared, demand_shared
from crashes.processing.hints import QUEUE as CRASHES
from crashes.processing.hints import hint
from crashes.processing.policy import lease_seconds
from crashes.processing.sweeping import sweep
from symbolsvc import migrating

log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 1.0
# As a command that cannot run with the settings that it has.
_MISCONFIGURED: Final = 2


def run_jobs(queues: Sequence[str]) -> None:
    """Run the jobs of these queues, one at a time, until SIGTERM."""
    _await_tables()
    _demand_shared()
    release()
    if CRASHES in queues:
        _look_after_crashes()
    background.run([*queues])


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


def _look_after_crashes() -> None:
    """This process may take the place of one that was killed: look now, and when what that one had is free."""
    sweep()
    hint(after=lease_seconds() + 1)
    release()
