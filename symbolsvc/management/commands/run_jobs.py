"""Run the jobs of some queues, one at a time, until SIGTERM. `up` and `worker` have such processes of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from symbolsvc.running.scratch import use_scratch
from symbolsvc.working import run_jobs


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queues", required=True, help="names, separated by commas")

    def handle(self, *args: Any, **options: Any) -> None:
        use_scratch(Path(settings.CACHE_DIR))
        run_jobs(options["queues"].split(","))
