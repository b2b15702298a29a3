"""Run the jobs of some queues, one at a time, until SIGTERM. `up` and `worker` start as many of these as are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from core import background
from core.database import release
from crashes.processing.hints import QUEUE as CRASHES
from crashes.processing.hints import hint
from crashes.processing.policy import lease_seconds
from crashes.processing.sweeping import sweep
from symbolsvc.running.scratch import use_scratch


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queues", required=True, help="names, separated by commas")

    def handle(self, *args: Any, **options: Any) -> None:
        use_scratch(Path(settings.CACHE_DIR))
        queues = options["queues"].split(",")
        if CRASHES in queues:
            _look_after_crashes()
        background.run(queues)


def _look_after_crashes() -> None:
    """This process may take the place of one that was killed: look now, and when what that one had is free."""
    sweep()
    hint(after=lease_seconds() + 1)
    release()
