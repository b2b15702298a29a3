"""What a process that runs jobs does, whoever started it."""

from __future__ import annotations

from collections.abc import Sequence

from core import background
from core.database import release
from crashes.processing.hints import QUEUE as CRASHES
from crashes.processing.hints import hint
from crashes.processing.policy import lease_seconds
from crashes.processing.sweeping import sweep


def run_jobs(queues: Sequence[str]) -> None:
    """Run the jobs of these queues, one at a time, until SIGTERM."""
    if CRASHES in queues:
        _look_after_crashes()
    background.run([*queues])


def _look_after_crashes() -> None:
    """This process may take the place of one that was killed: look now, and when what that one had is free."""
    sweep()
    hint(after=lease_seconds() + 1)
    release()
